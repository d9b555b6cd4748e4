"""A `find`, `score` or `ablate` that was made before: the same answer, without a model and without what loads one."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fresh_process import told, write_made
from sizes import all_slow_but
from tiny_models import save_tiny

pytestmark = pytest.mark.usefixtures("blank_pictures")

SLOW = ("torch", "transformers", "transformer_lens", "datasets", "pandas", "matplotlib", "sklearn")
CODE = f"""
import contextlib, io, json, time
from neurosteer.cli import main
out, err = io.StringIO(), io.StringIO()
try:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        main(sys.argv[1:])
except SystemExit as stop:
    code = stop.code
slow = [name for name in {SLOW} if name in sys.modules]
lines = err.getvalue().splitlines()
print(json.dumps({{"code": code, "out": out.getvalue(), "err": lines, "slow": slow, "seconds": time.process_time()}}))
"""
FIND = ("find", "made", "--method", "welch", "--topk", "3", "--draws", "1")
SCORE = ("score", "made")
ABLATE = ("ablate", "--controls", "3")
PLAN = re.compile(r"^note: plan: from (\S+), .*")  # where nothing is planned, a notice says where neurons come from


def settle(folder: Path) -> None:
    """As if its files had been there for long."""
    for file in folder.iterdir():
        os.utime(file, (time.time() - 3600,) * 2)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model and pairs."""
    monkeypatch.chdir(tmp_path)
    settle(save_tiny("llama", tmp_path / "model"))
    write_made(tmp_path / "made.jsonl")
    return tmp_path


@pytest.fixture
def command(place: Path, run: Callable) -> Callable:
    def call(words: tuple[str, ...], *more: str):
        pairs = () if words[0] == "ablate" else ("--data", "made.jsonl", "--model", "model")
        return run(*words, *pairs, "--offline", *more)

    return call


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that are loaded."""
    import neurosteer.model.load

    names: list[str] = []
    load = neurosteer.model.load.load_model

    def counted(name: str, **how: object):
        names.append(name)
        return load(name, **how)

    monkeypatch.setattr(neurosteer.model.load, "load_model", counted)
    return names


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_answers_without_a_model(place, command, loads):
    """In processes of their own, each of which takes less than the promised 1.5 s of a core."""
    first = {words: command(words) for words in (FIND, SCORE, ABLATE)}
    assert {outcome.code for outcome in first.values()} == {0}
    assert len(loads) == 3
    assert "unedited and under 4 edits; about" in first[ABLATE].err
    kept, home = contents(place / "runs"), os.environ["NEUROSTEER_HOME"]
    for words, outcome in first.items():
        pairs = () if words == ABLATE else ("--data", "made.jsonl", "--model", "model")
        again = told(CODE, *words, *pairs, "--offline", NEUROSTEER_HOME=home)
        assert (again["code"], again["out"], again["slow"]) == (0, outcome.out, [])
        assert again["err"] == [PLAN.sub(r"note: neurons of made from \1", line) for line in outcome.err.splitlines()]
        assert again["seconds"] < 3  # .9 s, and on a machine under load up to twice as many
        assert json.loads(command(words, "--format", "json").out)["command"] == words[0]
    assert len(loads) == 3
    assert contents(place / "runs") == kept


CHANGED: dict[str, Callable[[Path], None]] = {
    "weights": lambda place: settle(save_tiny("llama", place / "model", seed=1)),
    "the time of a file of the model": lambda place: os.utime(place / "model" / "config.json", (5, 5)),
    "the order of the pairs": lambda place: _turn(place / "made.jsonl"),
    "a file of the run": lambda place: _append(next((place / "runs").glob("score-*/*.csv"))),
    "its manifest": lambda place: _append(next((place / "runs").glob("score-*/MANIFEST.json"))),
    "an answer": lambda _: _spoil("answers"),
    "a description": lambda _: _spoil("descriptions"),
}


def _turn(path: Path) -> None:
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def _spoil(kind: str) -> None:
    """Change a letter of what is remembered."""
    for path in (Path(os.environ["NEUROSTEER_HOME"]) / kind).rglob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"e", b"a", 1))


@pytest.mark.parametrize("what", all_slow_but(["weights", "the order of the pairs", "an answer"], CHANGED))
def test_it_is_measured_again_where_anything_changed(what, place, command, loads):
    command(SCORE)
    CHANGED[what](place)
    assert command(SCORE).code == 0
    assert len(loads) == 2


@pytest.mark.slow
def test_an_effect_is_measured_again_where_its_find_changed(place, command, loads):
    command(FIND)
    command(ABLATE)
    command((*FIND, "--seed", "1"))
    assert len(loads) == 3
    again = command(ABLATE)  # the newest find is another one
    assert len(loads) == 4
    command(FIND)  # and now it is the first again, which was only shown
    assert command(ABLATE).out != again.out
    assert len(loads) == 4


def test_a_model_written_just_now_is_not_remembered(place, command, loads):
    for file in (place / "model").iterdir():
        os.utime(file)
    command(SCORE)
    command(SCORE)
    assert len(loads) == 2
