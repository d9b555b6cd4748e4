"""`neurosteer evidence`: what it asks of the rooms below, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurosteer.errors import InputError
from neurosteer.vocabulary import QUESTIONS


def test_defaults(run, rooms):
    """All six questions about the newest find's neurons, moved to their mean, among 19 controls."""
    outcome = run("evidence")
    assert outcome.code == 0
    asked = rooms.calls["ask"]
    assert asked["chosen"] == [("neurons by welch", "the ranking by welch", "among None")]
    assert (asked["pairs"], asked["split"].seed) == ("all pairs", 3)
    assert asked["only"] == QUESTIONS
    assert asked["neutral"] is None
    assert asked["settings"] == {
        "to": "mean",
        "controls": 19,
        "nulls": None,
        "kl": None,
        "auto_kl": False,
        "map": False,
        "seed": 3,
        "offline": False,
    }
    assert rooms.calls["save_evidence"]["options"]["only"] == QUESTIONS
    assert "necessary" in outcome.out
    assert f"run     {Path('runs/run-4')}" in outcome.out
    assert "figure  " in outcome.out


def test_every_option_arrives(run, rooms, tmp_path):
    (tmp_path / "prose.txt").write_text("Some text.")
    line = (
        "evidence --task a --method attribution --method welch --topk 2% --layers 3,1 --only sufficient,necessary "
        "--to zero --controls 99 --nulls 199 --kl 0.05 --map --neutral prose.txt --seed 7 --offline --out kept"
    )
    assert run(*line.split()).code == 0
    asked = rooms.calls["ask"]
    assert [chosen[0] for chosen in asked["chosen"]] == ["neurons by attribution", "neurons by welch"]
    assert asked["chosen"][0][2] == "among [1, 3]"
    assert asked["only"] == ("necessary", "sufficient")
    assert asked["neutral"] == Path("prose.txt")
    assert asked["settings"] == {
        "to": "zero",
        "controls": 99,
        "nulls": 199,
        "kl": 0.05,
        "auto_kl": False,
        "map": True,
        "seed": 7,
        "offline": True,
    }
    assert rooms.calls["neurons_from"]["topk"] == "2%"


def test_kl_of_the_set_and_its_controls(run, rooms):
    assert run("evidence", "--kl", "auto").code == 0
    assert (rooms.calls["ask"]["settings"]["kl"], rooms.calls["ask"]["settings"]["auto_kl"]) == (None, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "necesary"], "--only 'necesary' is not one of encoded, necessary,"),
        (["--only", ""], "--only '' is not one of"),
        (["--kl", "0"], "--kl '0' is not auto, or a finite number above 0"),
        (["--kl", "some"], "--kl 'some' is not auto"),
        (["--controls", "-1"], "--controls '-1' is not a whole number of at least 0"),
        (["--nulls", "10001"], "--nulls '10001' is not a whole number"),
        (["--to", "resample"], "--to 'resample' is not one of zero, mean"),
        (["--reach", "onward"], "--reach onward: what is kept, swapped or ablated at one layer"),
    ],
)
def test_what_is_refused(run, rooms, options, said):
    outcome = run("evidence", *options)
    assert outcome.code == 2
    assert outcome.err.startswith(f"neurosteer: {said}")
    assert outcome.err.count("\n") == 1
    assert "ask" not in rooms.calls


def test_an_error_below_is_one_line(run, rooms):
    rooms.error = InputError("the set has all 8 units of its layers")
    outcome = run("evidence")
    assert outcome.code == 2
    assert outcome.err.endswith("neurosteer: the set has all 8 units of its layers\n")


def test_stopped_says_that_it_goes_on(run, rooms):
    rooms.error = KeyboardInterrupt()
    outcome = run("evidence")
    assert outcome.code == 130
    assert "the same command goes on with the others" in outcome.err


def test_json_is_one_object(run, rooms):
    outcome = run("evidence", "--format", "json")
    found = json.loads(outcome.out)
    assert found["command"] == "evidence"
    [row] = found["results"]
    assert set(row["tests"]) == set(QUESTIONS)
    assert row["neurons_from"] == "runs/find-1"
    assert row["data"]["source"] == "fake"
