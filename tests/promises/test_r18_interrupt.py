"""R18: Ctrl-C is polite: exit 130, finished units kept, and one line with the very command that goes on.

A process of its own, without torch, runs the command line on a recipe of 40 stubbed units. In this one Ctrl-C is
pressed in the middle of a file, of each kind that `score` writes: what is complete is kept, and nothing by half.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fresh_process import write_made
from sizes import all_slow_but
from stub_recipe import KEPT, NAMES, contents, write_pairs, write_recipe

from neurosteer.artefacts import check_path
from neurosteer.report.pages.library import charting_code

CODE = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stub_recipe import logging_to, stub_plan, stub_rooms
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start us deaf to it
stop_at, log = sys.argv[2], logging_to(Path("log"))

def reached(what):
    log(what)
    if what == stop_at:
        time.sleep(60)

def plan():
    reached("plan")
    return stub_plan(reached)

sys.modules |= stub_rooms(plan, lambda: reached("draw"))
from neurosteer.cli import main
try:
    main(sys.argv[3:])
finally:
    assert "torch" not in sys.modules
"""
TESTS = Path(__file__).resolve().parents[1]
METADATA = ["run", "my sums.toml", "--out", "kept here", "--set", "title=It's  all", "--limit", "60"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "made.jsonl")
    write_recipe(tmp_path / "my sums.toml")
    return tmp_path


def start(place: Path, arguments: list[str], stop_at: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CODE, str(TESTS), stop_at, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=place, text=True, **pipes)


def stopped(
    place: Path, arguments: list[str], stop_at: str, by: signal.Signals = signal.SIGINT
) -> tuple[int, str, list[str]]:
    """Run until a unit begins that never ends, press Ctrl-C; gives exit code, stdout and the lines on stderr."""
    process = start(place, arguments, stop_at)
    deadline = time.monotonic() + 60
    while not (place / "log").is_file() or stop_at not in (place / "log").read_text().split():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, by)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err.splitlines()


def finished(place: Path, arguments: list[str]) -> str:
    """Run to the end; gives what it says on stdout."""
    process = start(place, arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def run_folder(place: Path) -> Path:
    [folder] = (place / "kept here").iterdir()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("stop_at", ["block-1-0", "states-0"])
def test_in_a_unit(place, stop_at):
    code, out, lines = stopped(place, METADATA, stop_at)
    done = NAMES.index(stop_at)
    folder = run_folder(place)
    again = shlex.join(["neurosteer", *METADATA])
    kept = f"{done} of 40 units are kept in {folder.relative_to(place)}"
    assert (code, out) == (130, "")
    assert lines[-1] == f"neurosteer: interrupted: {kept}; to go on: {again}"
    assert [line for line in lines if line.startswith("neurosteer")] == lines[-1:]
    there = {path.stem for path in (folder / "units").glob("*.safetensors")}
    assert there - {"states-1"} == set(NAMES[:done]) & set(KEPT)
    assert ("states-1" in there) == (stop_at == "block-1-0")

    finished(place, shlex.split(again)[1:])
    begun = [name for name in (place / "log").read_text().split() if name in NAMES]
    assert sorted(begun) == sorted([*NAMES, stop_at])
    assert {path.stem for path in (folder / "units").glob("*.safetensors")} == set(KEPT)


def test_sigterm_is_ctrl_c(place):
    """A batch system's way to say it: the same exit code and line, and nothing half-written is left."""
    code, out, lines = stopped(place, METADATA, "block-1-0", by=signal.SIGTERM)
    kept = f"{NAMES.index('block-1-0')} of 40 units are kept in {run_folder(place).relative_to(place)}"
    again = shlex.join(["neurosteer", *METADATA])
    assert (code, out) == (130, "")
    assert lines[-1] == f"neurosteer: interrupted: {kept}; to go on: {again}"
    folder = run_folder(place)
    left = [path for path in place.rglob(".*") if path.suffix != ".lock"]
    assert left == [folder / ".claims"]  # the locks of the units that somebody began
    assert {path.suffix for path in left[0].iterdir()} == {".lock"}
    finished(place, METADATA)
    assert [path for path in place.rglob(".*") if path.suffix != ".lock"] == []


@pytest.mark.slow
def test_after_the_last_unit(place):
    """While the figures are drawn, and before anything was begun."""
    code, _, lines = stopped(place, METADATA, "plan")
    again = shlex.join(["neurosteer", *METADATA])
    assert (code, lines) == (130, [f"neurosteer: interrupted; to go on: {again}"])
    assert not (place / "kept here").exists()

    code, _, lines = stopped(place, METADATA, "draw")
    folder = run_folder(place)
    assert (code, lines[-1].split(";")[0]) == (
        130,
        f"neurosteer: interrupted: 40 of 40 units are kept in {folder.relative_to(place)}",
    )
    assert not (folder / "MANIFEST.json").exists()
    finished(place, METADATA)
    assert (folder / "MANIFEST.json").exists()
    begun = (place / "log").read_text().split()
    assert all(begun.count(name) == 1 for name in NAMES)


@pytest.mark.slow
def test_the_end_is_the_same(place):
    """As of a run that nobody stopped."""
    code, _, _ = stopped(place, [*METADATA, "--quiet"], "block-3-3")
    assert code == 130
    finished(place, METADATA)
    broken = contents(place / "kept here")
    finished(place, [*METADATA[:3], "unbroken", *METADATA[4:]])
    assert contents(place / "unbroken") == broken


STAYS: dict[str, set[str] | None] = {
    "home/fingerprints/*": None,
    "home/descriptions/*": None,
    "made.tokens.safetensors": None,
    "made.csv": None,
    "home/pages/*": {"made.csv", "made.tokens.safetensors", "results.json", "MANIFEST.json"},
    "index.html": {"made.csv", "made.tokens.safetensors", "results.json", "MANIFEST.json"},
    "home/answers/*": {"made.csv", "made.tokens.safetensors", "results.json", "MANIFEST.json", "index.html"},
}


@pytest.mark.parametrize("where", all_slow_but(["made.csv"], STAYS))
def test_in_a_file(where, tmp_path, tiny_folder, monkeypatch, run):
    """What stays of the run is whole; the same command then ends as if nobody had pressed anything."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEUROSTEER_HOME", str(tmp_path / "home"))
    write_made(tmp_path / "made.jsonl")
    command = ["score", "--data", "made.jsonl", "--model", str(tiny_folder("llama"))]
    charting_code.cache_clear()
    pressed, synced = [], os.fsync

    def sync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}")).relative_to(tmp_path)
        at = path.with_name(path.name[1:].rpartition(".")[0])  # what it will be called
        if not pressed and (at.match(where) or at.is_relative_to(where.removesuffix("/*"))):
            pressed.append(at)
            raise KeyboardInterrupt
        synced(handle)

    monkeypatch.setattr(os, "fsync", sync)
    stop = run(*command)
    assert (stop.code, stop.err.splitlines()[-1]) == (130, "neurosteer: interrupted")
    assert len(pressed) == 1
    assert [path for path in tmp_path.rglob(".*") if path.suffix != ".lock"] == []
    stays = STAYS[where]
    kept = contents(tmp_path / "runs") if stays else {}
    assert {Path(name).name for name in kept} == (stays or set())
    assert len(list(tmp_path.glob("runs/*"))) == (1 if stays else 0)
    if stays:
        assert all(row["ok"] for row in check_path(tmp_path / "runs"))

    assert run(*command).code == 0
    after, home = contents(tmp_path / "runs"), contents(tmp_path / "home")
    assert {Path(name).name for name in kept if after[name] != kept[name]} <= {"MANIFEST.json"}  # it has more files
    shutil.rmtree(tmp_path / "runs")
    shutil.rmtree(tmp_path / "home")
    charting_code.cache_clear()
    assert run(*command).code == 0
    assert (contents(tmp_path / "runs"), contents(tmp_path / "home")) == (after, home)
