"""`run_recipe` and `estimate_recipe`, with stubs for the model, the plan and the figures."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from described import described
from stub_recipe import (
    KEPT,
    NAMES,
    contents,
    expected_sums,
    stub_plan,
    stub_rooms,
    write_pairs,
    write_recipe,
)

import neurosteer as ns
from neurosteer.artefacts import check_path
from neurosteer.errors import InputError
from neurosteer.experiments import estimate_recipe, run_recipe
from neurosteer.experiments.recipe import Recipe, override, read_recipe
from neurosteer.experiments.run import command_of, work_on_recipe
from neurosteer.pairs import load_pairs
from neurosteer.probes import L0
from neurosteer.progress import Progress
from neurosteer.results import record
from neurosteer.runner.units import UNIT_FORMAT
from neurosteer.store import digest_of
from neurosteer.studies.runs import runs as list_runs


class Notices(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The units whose computing began, in a folder with a recipe `sums.toml`."""
    names: list[str] = []
    for name, module in stub_rooms(lambda: stub_plan(names.append)).items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.chdir(tmp_path)
    write_pairs(tmp_path / "made.jsonl")
    write_recipe(tmp_path / "sums.toml")
    return names


def test_public():
    assert ns.run_recipe is run_recipe


def test_the_outcome(begun):
    done = run_recipe("sums.toml")
    assert begun == NAMES
    assert done.computed == 40
    assert done.outcome.version == version("neurosteer")
    assert done.outcome.recipe == read_recipe("sums.toml").describe()
    assert done.outcome.again == "neurosteer run sums.toml"
    assert done.outcome.results == {"stub": {"experiment": "stub", "sums": expected_sums()}}
    assert json.loads((done.folder / "results.json").read_text()) == done.outcome.to_dict()


def test_the_folder(begun):
    done = run_recipe(Path("sums.toml"), out="kept")
    assert done.folder.parent == Path("kept")
    assert sorted(contents(done.folder)) == sorted(
        ["MANIFEST.json", "fig5.png", "index.html", "recipe.json", "results.json"]
        + [f"units/{name}.safetensors" for name in KEPT]
    )
    assert done.page == done.folder / "index.html"
    assert done.figures == [done.folder / "fig5.png"]
    rows = check_path(Path("kept"))
    assert [(row["kind"], row["ok"]) for row in rows] == [("unit", True)] * 34 + [("run", True)]
    manifest = json.loads((done.folder / "MANIFEST.json").read_text())
    assert set(manifest["files"]) == {"fig5.png", "index.html", "recipe.json", "results.json"}
    asked = json.loads((done.folder / "recipe.json").read_text())
    assert asked["recipe"] == read_recipe("sums.toml").describe()
    assert asked["versions"]["torch"] == version("torch")
    [task] = asked["tasks"]
    pairs = load_pairs(source="made.jsonl")
    assert task == {"task": "made", "phenomenon": None, "digest": pairs.digest}


def test_its_name_and_digest(begun):
    """By hand: the format of units, the model, the pairs, and the settings that differ from the defaults."""
    done = run_recipe("sums.toml", topk=3)
    settings = {"experiments": ["fig5"], "topk": 3}
    pairs = {"task": "made", "phenomenon": None, "digest": load_pairs(source="made.jsonl").digest}
    digest = digest_of([UNIT_FORMAT, asdict(described("stub")), [pairs], settings])
    assert json.loads((done.folder / "recipe.json").read_text())["digest"] == digest
    assert done.folder.name == f"run-sums-stub-{digest[:8]}"


EXPERIMENTS = ["sensitivity", "overlap", "causal", "localizer", "gym", "frontier"]  # with settings of their own


def test_a_changed_default_raises_the_format():
    """Runs know their settings by what differs from these: change one, and `UNIT_FORMAT` has to grow with it."""
    told = override(Recipe("any"), {"experiments": EXPERIMENTS}).describe()
    assert UNIT_FORMAT == 2
    assert {key: value for key, value in told.items() if value is not None} == {
        "name": "any",
        "title": "",
        "experiments": EXPERIMENTS,
        "format": 1,
        "model": "smollm2-135m",
        "device": "auto",
        "dtype": "auto",
        "data": "auto",
        "tasks": ["all"],
        "columns": ["sentence_good", "sentence_bad"],
        "layout": "auto",
        "limit": "all",
        "split": "pair",
        "seed": 0,
        "site": "resid_post",
        "position": "eos",
        "layers": "all",
        "topk": "1%",
        "lambdas": [0.1, 0.2, 0.4, 0.8, 0.95, 1.0],
        "draws": 5,
        "unpenalised_steps": [400, 2000, 6000],
        "layer": "middle",
        "lambda": 0.2,
        "folds": 2,
        "repeats": 5,
        "methods": ["welch", "l0", "attribution"],
        "measured": "phenomena",
        "controls": 19,
        "nulls": 39,
        "test_pairs": 100,
        "attribution_pairs": 100,
        "localise": "0-199",
        "evaluate": "200-399",
        "seeds": 20,
        "pooled": False,
        "budgets": [0.02, 0.05, 0.1, 0.2],
        "mask_seeds": 1,
    }
    assert L0.settings() == {
        "beta": 2 / 3,
        "gamma": -0.1,
        "zeta": 1.1,
        "states": "standardised",
        "start": "cold",
        "weights_sd": 0.01,
        "warm_l2": 0.01,
        "log_alpha": 0.0,
        "log_alpha_sd": 0.01,
        "steps": 1500,
        "rate_weights": 0.05,
        "rate_gates": 0.1,
        "decay": "cosine",
        "beta1": 0.9,
        "beta2": 0.99,
        "weight_l2": 0.01,
        "optimiser": "Adam, full batch",
    }


def test_what_makes_another_run(begun, tmp_path):
    """Settings and pairs do, spelling and place do not."""
    first = run_recipe("sums.toml").folder
    same: list[dict[str, Any]] = [
        {"title": "Another"},
        {"data": str(tmp_path / "made.jsonl")},
        {"tasks": ["made"]},
        {"limit": 80},
        {"limit": 1000},
        {"layers": "all"},
        {"device": "cpu"},
    ]
    for overrides in same:
        done = run_recipe("sums.toml", **overrides)
        assert (done.folder, done.computed) == (first, 0)
    other: list[dict[str, Any]] = [{"limit": 79}, {"topk": 3}, {"lam": 0.3}, {"seed": 1}, {"layers": [0]}]
    assert len({run_recipe("sums.toml", **overrides).folder for overrides in other} - {first}) == 5
    assert run_recipe("sums.toml", out="elsewhere").folder.name == first.name


def test_more_units_of_the_same_kind_are_no_other_run(begun):
    """What says which units there are leaves those that are done; what says what they compute does not."""
    plain = run_recipe("sums.toml", experiments=["causal", "gym"]).folder
    for more in ({"measured": "all"}, {"seeds": 30}, {"attribution_pairs": 100}):
        done = run_recipe("sums.toml", experiments=["causal", "gym"], **more)
        assert (done.folder, done.computed) == (plain, 0)
    assert run_recipe("sums.toml", experiments=["causal", "gym"], attribution_pairs=99).folder != plain


def test_units_that_hold_something_else_make_another_run(begun, monkeypatch):
    """Those of older code are neither gone on with nor changed."""
    first = run_recipe("sums.toml").folder
    before = contents(first)
    monkeypatch.setattr("neurosteer.experiments.run.UNIT_FORMAT", UNIT_FORMAT + 1)
    done = run_recipe("sums.toml")
    assert (done.folder != first, done.computed) == (True, 40)
    assert contents(first) == before


def test_a_finished_run_is_drawn_again(begun):
    done = run_recipe("sums.toml")
    before = contents(done.folder)
    begun.clear()
    (done.folder / "fig5.png").unlink()
    (done.folder / "index.html").write_text("changed")
    again = run_recipe("sums.toml")
    assert (begun, again.computed, again.outcome) == ([], 0, done.outcome)
    assert contents(done.folder) == before


def test_another_title_shows(begun):
    run_recipe("sums.toml")
    done = run_recipe("sums.toml", title="Another")
    assert done.outcome.recipe["title"] == "Another"
    assert json.loads((done.folder / "recipe.json").read_text())["recipe"]["title"] == "Another"
    assert all(row["ok"] for row in check_path(done.folder))


def test_runs_are_not_mixed(begun):
    one, two = (run_recipe("sums.toml", topk=k).folder for k in (1, 2))
    shutil.rmtree(two)
    shutil.copytree(one, two)
    before = contents(two)
    with pytest.raises(InputError) as caught:
        run_recipe("sums.toml", topk=2)
    assert str(caught.value) == (
        f"{two} holds another recipe, model or data; runs are not mixed: delete it or name another folder with --out"
    )
    assert contents(two) == before
    (two / "recipe.json").unlink()
    with pytest.raises(InputError, match="belongs to another recipe, model or data; runs are not mixed"):
        run_recipe("sums.toml", topk=2)
    assert len(list((two / "units").iterdir())) == 34


@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": 5}', '{"versions": {}}'])
def test_a_damaged_note_of_what_was_asked_is_written_again(begun, content):
    folder = run_recipe("sums.toml").folder
    before = contents(folder)
    (folder / "recipe.json").write_text(content)
    begun.clear()
    run_recipe("sums.toml")
    assert begun == []
    assert contents(folder) == before


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The versions of the libraries, to be changed."""
    found = {"neurosteer": "0.1", "torch": "2.0", "transformers": "5.0"}
    monkeypatch.setattr("neurosteer.runner.run_metadata.versions", lambda _: dict(found))
    return found


def test_other_versions_are_told(begun, installed):
    """Before the first unit, in the outcome, and whenever it is drawn again."""
    begun_with = dict(installed)
    folder = run_recipe("sums.toml").folder
    (folder / "units" / "joint-0.safetensors").unlink()
    installed |= {"torch": "2.1"}
    told = Notices()
    mixed = run_recipe("sums.toml", progress=told)
    notice = "this run was begun with torch 2.0; 2.1 worked on it too"
    assert told.said == [notice]
    assert mixed.outcome.notices == [notice, "a stub"]
    assert json.loads(mixed.results.read_text())["notices"] == [notice, "a stub"]
    assert json.loads((folder / "recipe.json").read_text())["versions"] == begun_with
    assert all(row["ok"] for row in check_path(folder))
    before = contents(folder)
    run_recipe("sums.toml")
    assert contents(folder) == before
    installed |= begun_with
    assert run_recipe("sums.toml").outcome.notices == [notice, "a stub"]
    installed |= {"torch": "2.2", "neurosteer": "0.2"}
    assert run_recipe("sums.toml").outcome.notices == [
        "this run was begun with neurosteer 0.1; 0.2 worked on it too",
        "this run was begun with torch 2.0; 2.1 and 2.2 worked on it too",
        "a stub",
    ]


def test_the_same_versions_are_no_notice(begun):
    told = Notices()
    run_recipe("sums.toml")
    assert run_recipe("sums.toml", progress=told).outcome.notices == ["a stub"]
    assert told.said == []


def test_who_comes_last_says_how_a_run_is_called(begun):
    """Only the title is another, which makes no other run."""
    folder = run_recipe("sums.toml").folder
    run_recipe("sums.toml", title="Another")
    assert json.loads((folder / "recipe.json").read_text())["recipe"]["title"] == "Another"
    assert run_recipe("sums.toml").outcome.recipe["title"] == "Some sums"
    assert json.loads((folder / "recipe.json").read_text())["recipe"]["title"] == "Some sums"


def test_who_only_computes_leaves_an_unfinished_run(begun):
    """No manifest says of `recipe.json` what holds no longer."""
    folder = run_recipe("sums.toml").folder
    (folder / "units" / "joint-0.safetensors").unlink()
    asked = {"out": Path("runs"), "offline": True, "progress": Notices()}
    work_on_recipe(read_recipe("sums.toml"), **asked)
    assert len(list_runs(Path("runs"))) == 1
    work_on_recipe(read_recipe("sums.toml", {"title": "Another"}), **asked)
    assert list_runs(Path("runs")) == []
    assert all(row["ok"] for row in check_path(folder))


def test_a_failing_figure_leaves_an_unfinished_run(begun, monkeypatch):
    """Which is not listed, and is finished without computing anything; one that was finished stays so."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def failing() -> None:
        paper = sys.modules["neurosteer.experiments.files"]
        with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):  # noqa: PT012
            patch.setattr(paper, "write_outcome", full)
            run_recipe("sums.toml")

    failing()
    assert list_runs(Path("runs")) == []
    begun.clear()
    folder = run_recipe("sums.toml").folder
    assert begun == []
    assert [run.path for run in list_runs(Path("runs"))] == [str(folder)]
    before = contents(folder)
    failing()
    assert contents(folder) == before


def test_runs_are_listed(begun):
    folder = run_recipe("sums.toml").folder
    [row] = list_runs(Path("runs"))
    assert row.when.startswith("20")
    assert (row.run, row.command, row.model) == (folder.name, "run", "stub")
    assert (row.tasks, row.path) == (("made",), str(folder))


def test_an_unknown_experiment_is_refused_before_anything_is_loaded(begun):
    with pytest.raises(InputError) as caught:
        run_recipe("sums.toml", experiments=["fig5", "ovrlap"])
    known = "fig2, fig3, fig4, fig5, fig6, overlap, controls, sensitivity, causal, localizer, gym, frontier, models"
    assert str(caught.value) == f"unknown experiment 'ovrlap'; did you mean 'overlap'? (there are: {known})"
    assert not Path("runs").exists()


def test_wrong_arguments(begun):
    for wrong, told in (
        ({"workers": 0}, "workers '0' is neither auto nor a whole number from 1 to 1,024"),
        ({"workers": "all"}, "workers 'all' is neither auto nor a whole number from 1 to 1,024"),
        ({"topkk": 3}, "unknown key 'topkk'; did you mean 'topk'?"),
        ({"draws": 0}, "draws must be a whole number from 1 to 10,000 (each draw is a probe at every layer), not 0"),
    ):
        with pytest.raises(InputError) as caught:
            run_recipe("sums.toml", **wrong)
        assert str(caught.value).startswith(told)
    assert not Path("runs").exists()


def test_an_estimate(begun):
    """By hand: a piece is 400 bytes and an own state 400 more; of 46 seconds a third of the tasks is 14."""
    recipe = read_recipe("sums.toml")
    found = estimate_recipe(recipe, out=Path("runs"))
    assert begun == []
    assert not Path("runs").exists()
    told = record(found)
    assert Path(told.pop("folder")).name.startswith("run-sums-stub-")
    assert told == {
        "units": 40,
        "done": 0,
        "tasks": 1,
        "skipped": 0,
        "sentences": 160,
        "seconds": 46.0,
        "device": "cpu",
        "kept": 34 * 400,
        "scratch": 400,
        "memory": 4000 + 7 * 400,
    }


def test_an_estimate_of_the_rest(begun):
    """Counts what is there."""
    folder = run_recipe("sums.toml").folder
    for name in ("block-0-0", "block-5-1"):
        (folder / "units" / f"{name}.safetensors").unlink()
    there = sum(path.stat().st_size for path in (folder / "units").glob("*.safetensors"))
    before = contents(folder)
    found = estimate_recipe(read_recipe("sums.toml"), out=Path("runs"))
    assert (found.units, found.done, found.seconds) == (40, 36, 6.0)
    assert (found.kept, found.scratch, found.memory) == (there + 800, 400, 4000 + 800)
    assert contents(folder) == before


def test_an_estimate_counts_every_model(begun, monkeypatch):
    """A plan that keeps two of them in memory says so; their weights are 4000 bytes each."""
    plan = lambda *_: replace(stub_plan(), models=2)  # noqa: E731
    monkeypatch.setattr(sys.modules["neurosteer.experiments.plan"], "plan_recipe", plan)
    assert estimate_recipe(read_recipe("sums.toml"), out=Path("runs")).memory == 2 * 4000 + 7 * 400


def test_the_command_that_asks_again(tmp_path):
    """Typed into a shell it gives the same recipe; one of the user's own is named by its file."""
    asked = read_recipe(
        "fig5", {"data": "./my pairs", "limit": "200", "tasks": "intransitive,'a b'", "layers": "0-2"}
    )
    program, verb, name, *options = shlex.split(command_of(asked))
    assert (program, verb, name, options[::2]) == ("neurosteer", "run", "fig5", ["--set"] * 4)
    settings = dict(option.split("=", 1) for option in options[1::2])
    assert read_recipe(name, settings) == asked
    other = read_recipe("fig5", {"experiments": "causal", "attribution_pairs": 9})
    assert command_of(other) == "neurosteer run fig5 --set 'experiments=[\"causal\"]' --set attribution_pairs=9"
    assert command_of(read_recipe("all")) == "neurosteer run all"
    write_recipe(tmp_path / "my recipe; rm -r.toml")
    assert command_of(read_recipe(tmp_path / "my recipe; rm -r.toml")) == "neurosteer run 'my recipe; rm -r.toml'"
