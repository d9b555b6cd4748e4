"""`neurosteer generate`: texts without and with an edit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PROMPT = "The guests have"


def test_defaults(run, rooms):
    """Greedy, 20 tokens, the newest find's neurons at zero, at every token."""
    outcome = run("generate", PROMPT)
    assert outcome.code == 0
    asked = {"max_new_tokens": 20, "temperature": 0.0, "seed": 0}
    assert rooms.calls["generate"] == asked
    assert rooms.calls["refuse_untouched"] == {"where": "all", "max_new_tokens": 20}
    wanted = rooms.calls["neurons_from"]
    assert (wanted["pairs"], wanted["given"], wanted["topk"], wanted["out"]) == (False, None, None, Path("runs"))
    assert rooms.texts == [
        ("generate", PROMPT),
        ("on", "neurons by welch"),
        ("generate", PROMPT),
        ("on", "neurons by welch"),
        ("off", "neurons by welch"),
    ]
    assert outcome.err == "note: neurons of intransitive from runs/find-1\n"
    assert "usual The guests have" in " ".join(outcome.out.split())


def test_every_option_arrives(run, rooms):
    arguments = (
        "--task a --method l0 --method welch --topk 40 --layers 0-2 --reach all --data pairs.csv "
        "--columns good,bad --layout task= "
        "--split lexical --limit 50 --scale -1.5 --to mean --where generated --max-new-tokens 7 --temperature 0.8 "
        "--seed 11 --model m --revision r --device cpu --dtype float16 --bos none --eos </s> --out kept --format json"
    )
    outcome = run("generate", "one", "two words", *arguments.split(), "--offline")
    assert outcome.code == 0
    assert rooms.calls["neurons_from"] == {
        "task": "a",
        "methods": ("l0", "welch"),
        "topk": "40",
        "layers": [0, 1, 2],
        "by": None,
        "source": "pairs.csv",
        "split": "lexical",
        "seed": None,
        "limit": 50,
        "columns": ("good", "bad"),
        "layout": "task=",
        "offline": True,
        "out": Path("kept"),
        "given": None,
        "pairs": False,
        "may_find": True,
    }
    assert rooms.calls["generate"] == {"max_new_tokens": 7, "temperature": 0.8, "seed": 11}
    assert rooms.calls["refuse_untouched"] == {"where": "generated", "max_new_tokens": 7}
    model = rooms.calls["load_model"]
    assert [model[name] for name in ("name", "revision", "device", "dtype", "bos", "eos", "offline")] == [
        "m",
        "r",
        "cpu",
        "float16",
        "none",
        "</s>",
        True,
    ]
    result = json.loads(outcome.out)
    assert [(row["method"], row["prompt"]) for row in result["results"]] == [
        ("l0", "one"),
        ("l0", "two words"),
        ("welch", "one"),
        ("welch", "two words"),
    ]
    for row in result["results"]:
        assert row["edit"] == {
            "kind": "mean",
            "scale": -1.5,
            "value": None,
            "where": "generated",
            "reach": "all",
            "seed": None,
            "site": "resid_post",
            "layers": [3],
            "k": 1,
        }


def test_json_is_one_object_and_nothing_else(run, rooms, tmp_path):
    outcome = run("generate", PROMPT, "--format", "json")
    result = json.loads(outcome.out)
    assert list(result) == ["command", "version", "model", "options", "results"]
    assert (result["command"], result["model"]["name"]) == ("generate", "the model")
    assert {"max_new_tokens": 20, "temperature": 0.0, "seed": 0}.items() <= result["options"].items()
    [row] = result["results"]
    assert (row["before"], row["after"]) == (f" usual {PROMPT}", f" changed {PROMPT}")
    assert row["neurons_from"] == "runs/find-1"
    assert rooms.calls["save_texts"]["task"] == "intransitive"


def test_several_doses(run, rooms):
    """The unedited text is written once; each dose is a row of its own."""
    outcome = run("generate", PROMPT, "--scale", "0", "--scale", "2", "--scale", "0", "--format", "json")
    rows = json.loads(outcome.out)["results"]
    assert [row["edit"]["scale"] for row in rows] == [0.0, 2.0]
    assert [text for text in rooms.texts if text[0] == "generate"] == [("generate", PROMPT)] * 3
    assert rooms.calls["save_texts"]["options"]["scales"] == (0.0, 2.0)


@pytest.mark.parametrize(
    ("where", "new", "generated"),
    [
        ("all", "20", {"touched": True, "at_most": 19}),
        ("prompt", "20", {"touched": False, "at_most": 19}),
        ("generated", "3", {"touched": True, "at_most": 2}),
        ("all", "1", {"touched": True, "at_most": 0}),
    ],
)
def test_a_dry_run_lists_tokens_and_writes_nothing(run, rooms, tmp_path, where, new, generated):
    outcome = run(
        "generate", "The guests", "have", "--dry-run", "--where", where, "--max-new-tokens", new, "--format", "json"
    )
    assert rooms.texts == [("touched", prompt, "neurons by welch") for prompt in ("The guests", "have")]
    assert "generate" not in rooms.calls
    rows = json.loads(outcome.out)["results"]
    assert [row["tokens"] for row in rows] == [
        [{"text": text, "id": i, "touched": i > 0} for i, text in enumerate(texts)]
        for texts in (["<s>", "The", "guests"], ["<s>", "have"])
    ]
    assert [row["generated"] for row in rows] == [generated] * 2
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_as_a_table(run, rooms):
    outcome = run("generate", PROMPT, "--dry-run", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(word in outcome.out for word in ("<s>", "guests", "edited"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "eos"], "an edit where 'eos' cannot matter for generation: it ends there; use where 'all'"),
        (
            ["--where", "generated", "--max-new-tokens", "1"],
            "an edit where 'generated' cannot matter for one new token: it is never read again",
        ),
    ],
)
def test_edits_that_touch_nothing_are_refused_before_a_model_loads(run, monkeypatch, tmp_path, arguments, message):
    """By the rooms below themselves."""
    monkeypatch.chdir(tmp_path)
    outcome = run("generate", PROMPT, "--model", "/no/such/model", *arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"neurosteer: {message}\n")
    assert list(tmp_path.iterdir()) == []
