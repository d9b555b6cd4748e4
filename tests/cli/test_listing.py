"""`neurosteer ls` and `neurosteer check`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from neurosteer.errors import InputError
from neurosteer.grammar import PARADIGMS
from neurosteer.pairs import load_pairs
from neurosteer.results.run import RunListing


def fake(monkeypatch, room, **members):
    module = ModuleType(f"neurosteer.{room}")
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_tasks_stand_under_their_phenomenon(run):
    """With what a bag of words knows in each source, and a pair."""
    lines = run("ls", "tasks").out.splitlines()
    assert len([line for line in lines if line.startswith("    + ")]) == 67
    assert len([line for line in lines if line.startswith("    - ")]) == 67
    at = lines.index("argument_structure")
    [of_task] = [i for i, line in enumerate(lines) if line.startswith("  intransitive ")]
    assert at < of_task < lines.index("binding")
    assert re.fullmatch(
        r"  intransitive +blimp \.99 \.9\d   builtin \.5\d \.9\d   builtin:balanced \.50 \.50", lines[of_task]
    )


def test_tasks_as_json(run):
    rows = {row["task"]: row for row in json.loads(run("ls", "tasks", "--format", "json").out)["results"]}
    row = rows["intransitive"]
    assert (row["phenomenon"], row["field"]) == ("argument_structure", "syntax")
    assert row["about"].startswith("Without an object only a verb that needs none")
    assert set(row["baselines"]) == {"blimp", "builtin", "builtin:balanced"}
    assert set(row["baselines"]["builtin"]) == {"last_word", "unigram"}
    [pair] = load_pairs("intransitive", source="builtin", limit=2).limit(1)
    assert row["example"] == [pair.good, pair.bad]


def test_tasks_of_the_balanced_form(run):
    """With pairs of it."""
    rows = json.loads(run("ls", "tasks", "--data", "builtin:balanced", "--format", "json").out)["results"]
    assert {row["task"] for row in rows} == set(PARADIGMS)
    [row] = [row for row in rows if row["task"] == "intransitive"]
    [pair] = load_pairs("intransitive", source="builtin:balanced", limit=2).limit(1)
    assert row["example"] == [pair.good, pair.bad]


def test_tasks_about_meaning(run):
    """By facts and sense, without a word on second frames, of which they have none."""
    lines = run("ls", "tasks", "--data", "builtin:meaning").out.splitlines()
    assert len([line for line in lines if line.startswith("    + ")]) == 8
    assert not [line for line in lines if "second frame" in line]
    [capitals] = [line for line in lines if line.startswith("  capitals ")]
    assert lines.index("facts") < lines.index(capitals) < lines.index("sense")
    assert capitals.split()[1:] == ["builtin:meaning", ".50", ".50"]
    rows = json.loads(run("ls", "tasks", "--data", "builtin:meaning", "--format", "json").out)["results"]
    [row] = [row for row in rows if row["task"] == "capitals"]
    [pair] = load_pairs("capitals", source="builtin:meaning", limit=2).limit(1)
    assert (row["phenomenon"], row["field"], row["example"]) == ("facts", "semantics", [pair.good, pair.bad])


def test_tasks_of_ones_own_file_are_counted(run, tmp_path):
    row = '{"sentence_good": "Cats sleep %d.", "sentence_bad": "Cats sleeps %d."}\n'
    (tmp_path / "cats.jsonl").write_text("".join(row % (index, index) for index in range(12)))
    outcome = run("ls", "tasks", "--data", str(tmp_path / "cats.jsonl"))
    assert outcome.out == "(no phenomenon)\n  cats  12 pairs\n"


def test_models(run, monkeypatch):
    rows = [{"name": "smollm2-135m", "source": "built in", "cached": False, "note": "98 MB [once]"}]
    fake(monkeypatch, "model", known_models=lambda: rows)
    outcome = run("ls", "models")
    assert outcome.out.splitlines()[1].split() == ["smollm2-135m", "built", "in", "no", "98", "MB", "[once]"]
    assert "Any local Hugging Face folder or hub id works too" in outcome.out
    assert json.loads(run("ls", "models", "--format", "json").out)["results"] == rows


def test_runs(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    row = RunListing(
        run="r1",
        command="find",
        model="m",
        tasks=("a", "b"),
        path="runs/r1",
        when="today",
        data="blimp",
        site="resid_post",
        layers=tuple(range(30)),
        topk=6,
    )
    scored = RunListing(run="r2", command="score", model="m", tasks=tuple("abcd"), path="runs/r2", when="now")
    fake(monkeypatch, "studies.runs", runs=lambda out: [row, scored])
    lines = run("ls", "runs").out.splitlines()
    assert lines[0].split() == ["run", "command", "model", "tasks", "data", "site", "layers", "topk", "when"]
    assert lines[1].split() == ["r1", "find", "m", "a,", "b", "blimp", "resid_post", "0-29", "6", "today"]
    assert lines[2].split() == ["r2", "score", "m", "4", "tasks", "now"]
    listed = json.loads(run("ls", "runs", "--format", "json").out)["results"]
    assert listed[0] == {**vars(row), "tasks": ["a", "b"], "layers": list(range(30))}
    fake(monkeypatch, "studies.runs", runs=lambda out: [])
    assert run("ls", "runs").out == "no runs in 'runs'\n"
    assert list(tmp_path.iterdir()) == []


def checks(path):
    if path.name == "nowhere":
        raise InputError("no such file or folder: 'nowhere'")
    bad = path.name == "broken"
    return [{"path": str(path), "kind": "ranking", "ok": not bad, "message": "changed since" if bad else ""}]


@pytest.mark.parametrize(
    ("paths", "code", "out", "err"),
    [
        (["whole"], 0, "ok   whole  ranking\n", ""),
        (["whole", "broken"], 1, "ok   whole  ranking\nBAD  broken  ranking: changed since\n", ""),
        (["whole", "nowhere"], 2, "", "neurosteer: no such file or folder: 'nowhere'\n"),
    ],
)
def test_check(run, monkeypatch, *, paths, code, out, err):
    fake(monkeypatch, "artefacts", check_path=checks)
    outcome = run("check", *paths)
    assert (outcome.code, outcome.out, outcome.err) == (code, out, err)


def test_check_as_json(run, monkeypatch):
    fake(monkeypatch, "artefacts", check_path=checks)
    outcome = run("check", "broken", "--format", "json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["results"] == checks(Path("broken"))
