"""`neurosteer ablate` and `neurosteer amplify`: what they ask of the rooms below, and what they print."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from neurosteer.errors import InputError
from neurosteer.store import write_artefact

EDITED = "ablate", "amplify"
NOTHING_ASKED = {
    "task": None,
    "methods": None,
    "topk": None,
    "layers": None,
    "source": None,
    "split": None,
    "seed": None,
    "by": None,
    "limit": None,
    "columns": None,
    "layout": None,
    "offline": False,
}


def asked_of(rooms, call: int = 0) -> dict[str, object]:
    return {key: value for key, value in rooms.effects[call].items() if key != "progress"}


def test_defaults_of_ablate(run, rooms):
    """The neurons of the newest find set to zero, against 19 controls, on the find's own test pairs."""
    assert run("ablate").code == 0
    assert rooms.calls["neurons_from"] == {
        **NOTHING_ASKED,
        "out": Path("runs"),
        "given": None,
        "pairs": True,
        "may_find": False,
    }
    [_] = rooms.effects
    measured = asked_of(rooms)
    edit = measured.pop("edit")
    assert (edit.kind, edit.neurons) == ("zero", "neurons by welch")
    assert edit.about == {"scale": 0.0, "where": "all", "reach": "own", "donors": (), "seed": 3}
    assert measured == {
        "pairs": ["a test pair"] * 2,
        "train": ["a train pair"] * 6,
        "kinds": ("zero",),
        "scales": (0.0,),
        "controls": 19,
        "also": [],
        "neutral": None,
        "kl": None,
        "convention": "sum",
        "donors": ["a train pair"] * 6,
        "seed": 3,
    }
    assert rooms.calls["load_model"]["name"] == "smollm2-135m"
    saved = rooms.calls["save_effects"]
    assert (saved["command"], saved["out"]) == ("ablate", Path("runs"))


def test_defaults_of_amplify(run, rooms):
    """Twice their activation, about zero."""
    assert run("amplify").code == 0
    measured = asked_of(rooms)
    edit = measured.pop("edit")
    assert (edit.kind, edit.about) == ("zero", {"scale": 2.0, "where": "all", "reach": "own"})
    assert (measured["scales"], measured["controls"]) == ((2.0,), 19)
    assert not measured["kinds"]
    assert rooms.calls["save_effects"]["command"] == "amplify"


def every_option(command: str) -> list[str]:
    own = "--to resample --to zero --to resample" if command == "ablate" else "--to mean"
    return (
        f"{command} --task a --method attribution --method l0 --method attribution --topk 2% --layers 3,1 "
        "--reach onward --data pairs.csv --columns good,bad --layout task= --split lexical --limit 50 "
        "--seed 7 --scale 0.5 "
        f"--scale -1 --scale .5 {own} --where prompt --controls 99 --also b --also c --neutral prose.txt --model m "
        "--revision r --device cuda:1 --dtype bfloat16 --device-map auto --bos <s> --eos </s> --out kept --offline"
    ).split()


@pytest.mark.parametrize("command", EDITED)
def test_every_option_arrives(run, rooms, tmp_path, command):
    (tmp_path / "prose.txt").write_text("Some text.")
    assert run(*every_option(command)).code == 0
    assert rooms.calls["neurons_from"] == {
        "task": "a",
        "methods": ("attribution", "l0"),
        "topk": "2%",
        "layers": [1, 3],
        "by": None,
        "source": "pairs.csv",
        "split": "lexical",
        "seed": 7,
        "limit": 50,
        "columns": ("good", "bad"),
        "layout": "task=",
        "offline": True,
        "out": Path("kept"),
        "given": None,
        "pairs": True,
        "may_find": True,
    }
    model = {key: value for key, value in rooms.calls["load_model"].items() if key != "progress"}
    assert model == {
        "name": "m",
        "revision": "r",
        "device": "cuda:1",
        "dtype": "bfloat16",
        "device_map": "auto",
        "bos": "<s>",
        "eos": "</s>",
        "offline": True,
    }
    assert len(rooms.effects) == 2
    for call, method in enumerate(("attribution", "l0")):
        measured = asked_of(rooms, call)
        edit = measured["edit"]
        assert edit.neurons == f"neurons by {method}"
        if command == "ablate":
            assert measured["kinds"] == ("resample", "zero")
            donors = ["a train pair"] * 6
            assert (edit.kind, edit.about["donors"], edit.about["seed"]) == ("resample", donors, 7)
        else:
            assert edit.kind == "mean"
        assert (edit.about["scale"], edit.about["where"], edit.about["reach"]) == (0.5, "prompt", "onward")
        assert (measured["scales"], measured["controls"], measured["seed"]) == ((0.5, -1.0), 99, 7)
        assert measured["neutral"] == Path("prose.txt")
        assert measured["also"] == [f"pair test pairs of {task}, seed 7" for task in ("b", "c")]
    kept = json.loads(json.dumps(rooms.calls["save_effects"]["options"]))
    assert (kept["from"], kept["neutral"], kept["where"]) == ("runs/find-1", "prose.txt", "prompt")
    assert kept["methods"] == ["attribution", "l0"]


def test_other_tasks_come_from_the_same_source(run, rooms):
    """Read as the find's pairs, split by pair with its seed, and as many as it took or as are asked for."""
    assert run("ablate", "--also", "b", "--also", "c").code == 0
    asked = {"pairs": "all pairs", "names": ("b", "c"), "limit": 40, "seed": 3, "offline": False}
    assert rooms.calls["load_others"] == asked
    assert rooms.effects[0]["also"] == ["pair test pairs of b, seed 3", "pair test pairs of c, seed 3"]
    assert run("ablate", "--also", "b", "--limit", "60").code == 0
    assert rooms.calls["load_others"] == asked | {"names": ("b",), "limit": 60}


@pytest.mark.parametrize("command", EDITED)
def test_a_task_may_stand_without_its_option(run, rooms, command):
    assert run(command, "a", "-k", "40").code == 0
    asked = rooms.calls["neurons_from"]
    assert (asked["task"], asked["topk"], asked["may_find"]) == ("a", "40", True)
    assert run(command, "a", "--task", "a").code == 0
    assert rooms.calls["neurons_from"]["task"] == "a"


@pytest.mark.parametrize("command", EDITED)
def test_two_tasks_are_refused(run, rooms, tmp_path, command):
    outcome = run(command, "a", "-t", "b")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "neurosteer: which task: 'a', or 'b' as --task says? name one\n"
    assert (rooms.effects, list(tmp_path.iterdir())) == ([], [])


def test_neurons_of_a_file(run, rooms, tmp_path):
    (tmp_path / "mine.safetensors").write_bytes(b"")
    assert run("amplify", "--neurons", "mine.safetensors", "--task", "a").code == 0
    assert rooms.calls["neurons_from"]["given"] == Path("mine.safetensors")


def test_a_find_is_made_on_the_spot(run, rooms):
    """With the options given, and a notice."""
    rooms.finds = True
    outcome = run(
        "ablate", "--task", "b", "--method", "attribution", "--split", "lexical", "--seed", "4", "--limit", "9"
    )
    assert outcome.code == 0
    assert rooms.calls["load_pairs"]["b"] == {
        "source": "auto",
        "limit": 9,
        "columns": ("sentence_good", "sentence_bad"),
        "layout": "auto",
        "seed": 4,
        "offline": False,
    }
    study = {key: value for key, value in rooms.calls["find"].items() if key != "progress"}
    assert study == {"methods": ("attribution",), "split": "lexical", "by": "unit", "seed": 4}
    assert outcome.err.splitlines()[0] == "note: no find of b that fits in 'runs': finding now"
    options = rooms.calls["save_find"]["options"]
    assert (options["n"], options["columns"]) == (9, ("sentence_good", "sentence_bad"))  # to be found again by


def test_a_find_on_the_spot_has_the_finds_own_defaults(run, rooms):
    rooms.finds = True
    assert run("ablate", "--task", "b").code == 0
    study = {key: value for key, value in rooms.calls["find"].items() if key != "progress"}
    assert study == {"methods": ("welch", "l0"), "split": "pair", "by": "unit", "seed": 0}


@pytest.mark.parametrize("command", EDITED)
def test_tables_then_where_the_run_is(run, rooms, command):
    outcome = run(command, "--method", "welch", "--method", "l0", "--out", "kept")
    assert outcome.code == 0
    assert outcome.out.index("A sentence about welch.") < outcome.out.index("A sentence about l0.")
    assert outcome.out.endswith(f"run     {Path('kept/run-2')}\nfigure  {Path('kept/run-2/figure.png')}\n")
    notices = ["neurons of intransitive from runs/find-1", "a notice about welch", "a notice about l0"]
    assert outcome.err.splitlines() == [f"note: {notice}" for notice in notices]


def test_json_is_one_object_and_nothing_else(run, rooms):
    outcome = run("ablate", "--method", "welch", "--method", "l0", "--format", "json")
    result = json.loads(outcome.out)
    assert list(result) == ["command", "version", "model", "results"]
    assert [entry["method"] for entry in result["results"]] == ["welch", "l0"]
    for entry in result["results"]:
        assert entry["neurons_from"] == "runs/find-1"
        data = entry["data"]
        assert (data["source"], data["pairs"], data["digest"], data["tested"]) == ("fake", 10, "d", 2)
        assert (data["split"]["kind"], data["split"]["seed"]) == ("pair", 3)


def test_quiet_leaves_only_results(run, rooms):
    outcome = run("amplify", "--quiet")
    assert outcome.err == ""
    assert "A sentence about welch." in outcome.out


@pytest.mark.parametrize("error", [InputError("no layer 99"), KeyboardInterrupt()])
def test_a_failing_measurement_leaves_nothing(run, rooms, tmp_path, error):
    rooms.error, rooms.measures = error, 0
    outcome = run("ablate", "--quiet")
    assert (outcome.code, outcome.out) == ((2 if isinstance(error, InputError) else 130), "")
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_measured_is_kept_whatever_stops_the_rest(run, rooms):
    """Of two neuron sets the first."""
    rooms.error, rooms.measures = KeyboardInterrupt(), 1
    outcome = run("ablate", "--method", "welch", "--method", "l0", "--format", "json")
    assert (outcome.code, outcome.out) == (130, "")
    kept, interrupted = outcome.err.splitlines()[-2:]
    assert kept == f"note: stopped early: 1 of 2 neuron sets are kept in {Path('runs/run-2')}"
    assert interrupted == "neurosteer: interrupted"
    assert Path("runs/run-2").is_dir()


def test_a_method_with_fewer_neurons_is_told(run, rooms):
    rooms.sizes = {"l0": 2}
    outcome = run("ablate", "--method", "welch", "--method", "l0")
    assert outcome.code == 0
    assert "note: l0 has only 2 neurons with a score above 0 there" in outcome.err.splitlines()
    assert "welch has only" not in outcome.err


@pytest.mark.parametrize("command", [["ablate"], ["amplify"], ["generate", "The guests"]])
def test_a_method_without_neurons_is_refused(run, rooms, tmp_path, command):
    rooms.sizes = {"l0": 0}
    outcome = run(*command, "--method", "welch", "--method", "l0", "--quiet")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "neurosteer: no neurons to edit: l0 has none with a score above 0 there\n"
    assert (rooms.effects, rooms.texts) == ([], [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", EDITED)
def test_more_controls_than_can_be_drawn(run, rooms, tmp_path, command):
    outcome = run(command, "--controls", "1000000000")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "neurosteer: --controls '1000000000' is not a whole number of at least 0 and at most 100,000 "
        "(each is a pass of all pairs, and 5 KB of the run)\n"
    )
    assert (rooms.effects, list(tmp_path.iterdir())) == ([], [])


NEWEST = SimpleNamespace(name="other/model", revision="main", bos="<s>", eos=None)


@pytest.mark.parametrize("command", [["ablate"], ["amplify"], ["generate", "The guests"]])
def test_without_a_model_that_of_the_newest_find_is_taken(run, rooms, command):
    """And that is said; what was typed comes first."""
    rooms.newest = NEWEST
    outcome = run(*command, "--task", "a", "--eos", "</s>", "--bos", "none")
    assert outcome.code == 0
    asked = rooms.calls["load_model"]
    assert [asked[name] for name in ("name", "revision", "bos", "eos")] == ["other/model", "main", "none", "</s>"]
    assert outcome.err.splitlines()[0] == "note: model other/model, that of the newest find"
    wanted = rooms.calls["model_of_newest_find"]
    assert (wanted["task"], wanted["out"]) == ("a", Path("runs"))


@pytest.mark.parametrize("more", [["--model", "mine"], ["--neurons", "mine.safetensors"]])
def test_a_model_or_a_file_that_is_named_needs_no_find(run, rooms, more):
    rooms.newest = NEWEST
    Path("mine.safetensors").write_bytes(b"")
    outcome = run("ablate", *more)
    assert rooms.calls["load_model"]["name"] == ("mine" if "--model" in more else "smollm2-135m")
    assert "newest find" not in outcome.err


@pytest.mark.parametrize("option", ["--neurons", "--direction"])
def test_a_file_of_another_model_says_of_which_before_one_is_loaded(run, rooms, option):
    rooms.newest = NEWEST
    write_artefact(Path("mine.safetensors"), "neurons", {}, {"network": {"name": "an other"}})
    outcome = run("ablate", option, "mine.safetensors", "--task", "a")
    assert outcome.err.splitlines()[0] == (
        "note: model smollm2-135m; mine.safetensors says that it is of 'an other' (give --model 'an other')"
    )
    assert "says that it is" not in run("ablate", option, "mine.safetensors", "--task", "a", "--model", "m").err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("promt", "neurosteer: --where 'promt' is not one of all, prompt, every; did you mean 'prompt'?\n"),
        ("generate", "neurosteer: --where 'generate' is not one of all, prompt, every\n"),
        ("eos", "neurosteer: --where eos cannot matter for scores: sentences are given, and EOS is never scored\n"),
    ],
)
def test_only_words_that_can_matter_are_suggested(run, rooms, typed, told):
    outcome = run("ablate", "--where", typed)
    assert (outcome.code, outcome.err) == (2, told)


@pytest.mark.parametrize("command", EDITED)
@pytest.mark.parametrize(("typed", "kl"), [("0.05", 0.05), ("auto", "auto")])
def test_a_disturbance_arrives(run, rooms, command, typed, kl):
    assert run(command, "--kl", typed).code == 0
    assert asked_of(rooms)["kl"] == kl
    assert rooms.calls["save_effects"]["options"]["kl"] == kl


@pytest.mark.parametrize("command", EDITED)
def test_no_disturbance_is_no_option_of_a_run(run, rooms, command):
    """So that runs land where they landed before there was such an option."""
    assert run(command).code == 0
    assert "kl" not in rooms.calls["save_effects"]["options"]


@pytest.mark.parametrize(("option", "value"), [("--topk", "5"), ("--layers", "2"), ("--method", "l0")])
def test_typed_neurons_are_chosen_already(run, option, value):
    outcome = run("ablate", "--neurons", "1:3,2:5", "--task", "a", option, value)
    assert outcome.code == 2
    assert "1:3,2:5" in outcome.err
    assert f"leave {'one' if option == '--method' else option} out" in outcome.err
