"""R13: offline means offline: with `--offline`, or on a local model and local pairs, no socket is opened.

A process of its own runs the commands. Whatever in it makes a socket, looks a name up or starts another process is
noted by an audit hook, which nothing in Python gets past, and fails. At the end the hub is asked for once, so that
the hook is seen to work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from fresh_process import told, told_warm, write_made
from stub_recipe import write_recipe
from tiny_models import save_tiny, save_tokenizer, settle

from neurosteer.pairs import load_pairs

CODE = """
import contextlib, io, json, os
from pathlib import Path

tried, running = [], "at first"
def note(event, given):
    if event.partition(".")[0] in ("socket", "subprocess") or event in ("os.system", "os.posix_spawn", "os.exec"):
        tried.append(f"{running}: {event}")
        raise OSError(101, "out of bounds")
sys.addaudithook(note)
if "blank" in sys.argv:
    from blank_pictures import blank_from_now_on
    blank_from_now_on()

from neurosteer.cli import main

os.chdir(sys.argv[1])
ends = {}
for running, command in json.loads(sys.argv[2]).items():
    err = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
        try:
            main(command)
        except SystemExit as stop:
            ends[running] = [stop.code, err.getvalue()]

before, running = len(tried), "shown"
import huggingface_hub, socket
huggingface_hub.constants.HF_HUB_OFFLINE = False
huggingface_hub.close_session()
from neurosteer.hub import is_reachable
assert not is_reachable()
print(json.dumps({"tried": tried[:before], "ends": ends, "shown": tried[before:]}))
"""
FEW = ["--layers", "1", "--topk", "3"]
SEARCH = [*FEW, "--method", "welch", "--draws", "1"]
EDIT = [*FEW, "--controls", "1", "--neutral", "prose.txt"]
LOCAL = {
    "find": ["find", "--data", "made.jsonl", *SEARCH],
    "score": ["score", "--data", "made.jsonl"],
    "ablate": ["ablate", "--data", "made.jsonl", *EDIT],
    "amplify": ["amplify", *EDIT],
    "generate": ["generate", "w1 w2", "--max-new-tokens", "3", "--topk", "3"],
    "run": ["run", "fig5.toml", "--data", "made.jsonl"],
    "score again": ["score", "--data", "made.jsonl"],
}
AUTO = ["--data", "auto", "--task", "intransitive", "--limit", "80"]
OFFLINE = {
    "find": ["find", *AUTO, *SEARCH],
    "score": ["score", *AUTO],
    "ablate": ["ablate", *AUTO, *EDIT],
    "run": ["run", "fig5.toml", *AUTO],
    "local": ["score", "--data", "made.jsonl"],
    "find again": ["find", *AUTO, *SEARCH],
}
ABSENT = {
    "blimp": ["score", "--data", "blimp", "--task", "intransitive"],
    "data": ["score", "--data", "someone/pairs"],
    "model": ["score", "--data", "made.jsonl", "--model", "someone/model"],
    "built-in model": ["score", "--data", "made.jsonl", "--model", "smollm2-135m"],
}


@pytest.fixture
def place(tmp_path) -> Path:
    """A model that reads English in its way, and what the commands ask for."""
    write_made(tmp_path / "made.jsonl")
    write_recipe(tmp_path / "fig5.toml", topk=3, layers=[1])
    (tmp_path / "prose.txt").write_text("w1 w5 w9 w2 w6 w5 w3\n\nw8 w30 w7 w7 w1 w4\n")
    pairs = load_pairs("intransitive", source="builtin", limit=80)
    english = [sentence for pair in pairs for sentence in (pair.good, pair.bad)]
    save_tokenizer(save_tiny("llama-english", tmp_path / "model"), english=english)
    settle(tmp_path / "model")
    return tmp_path


def ends_of(
    place: Path, commands: dict[str, list[str]], *how: str, tell: Callable[..., Any] = told
) -> dict[str, list[Any]]:
    """Exit code and stderr of each command, none of which has tried anything; one after the other in one process."""
    asked = {
        name: [*command, *([] if "--model" in command else ["--model", "model"])]
        for name, command in commands.items()
    }
    report = tell(CODE, place, json.dumps(asked), *how, HF_HOME=str(place / "hf"))
    assert report["tried"] == []
    assert report["shown"] == ["shown: socket.getaddrinfo"]
    ends: dict[str, list[Any]] = report["ends"]
    return ends


def offline(names: Iterable[str] = (*OFFLINE, *ABSENT)) -> dict[str, list[str]]:
    return {name: [*(OFFLINE | ABSENT)[name], "--offline"] for name in names}


def check_offline(ends: dict[str, list[Any]]) -> None:
    """Data `auto` are the built-in pairs; what only the hub has is told in one line."""
    assert {name: code for name, (code, _) in ends.items()} == {name: 2 if name in ABSENT else 0 for name in ends}
    for name in ends.keys() & OFFLINE:
        assert ("note: built-in pairs:" in ends[name][1]) == (name in ("find", "score", "run", "find again"))
    assert ends.get("find again") == (ends["find"] if "find again" in ends else None)
    for name in ends.keys() & ABSENT:
        assert ends[name][1].count("\n") == 1


def test_offline(place: Path):
    """In a process that is warm, as a notebook is."""
    check_offline(ends_of(place, offline(["score", "find", *ABSENT]), "blank", tell=told_warm))


@pytest.mark.slow
def test_offline_in_a_fresh_process(place: Path):
    check_offline(ends_of(place, offline()))


@pytest.mark.slow
def test_a_local_run_then_offline(place: Path):
    """Local ones without the option; `--offline` then finds the libraries imported, as in a process that is warm.

    Figures are rendered in the test before.
    """
    local = {f"local {name}": command for name, command in LOCAL.items()}
    ends = ends_of(place, local | offline(), "blank", tell=told_warm)
    assert [ends.pop(name)[0] for name in local] == [0] * len(LOCAL)
    check_offline(ends)
