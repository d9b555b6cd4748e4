"""R27: more workers, the same bytes; and what dies, or is stopped, loses what it was at and nothing else.

Processes of their own, without torch, run the command line on a recipe of 40 stubbed units.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sizes import quick_and_slow
from stub_recipe import NAMES, contents, write_pairs, write_recipe

COMMAND = Path(__file__).resolve().parents[1] / "stub_command.py"
ASKED = ("run", "sums.toml", "--out", "kept")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return new_place(tmp_path)


def new_place(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    write_pairs(folder / "made.jsonl")
    write_recipe(folder / "sums.toml")
    return folder


def start(place: Path, workers: int, **env: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(COMMAND), str(workers), *ASKED, "--workers", str(workers)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    threads = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.Popen(command, cwd=place, text=True, env={**threads, **env}, **pipes)


def begun(place: Path) -> list[list[str]]:
    """Unit, process and threads, of each unit that was begun."""
    log = place / "log"
    return [line.split() for line in log.read_text().splitlines()] if log.is_file() else []


def finished(place: Path, workers: int, **env: str) -> list[str]:
    """Run to the end; gives the notices."""
    process = start(place, workers, **env)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Sums add up: holds in 4 of 4 joints" in out
    return [line for line in err.splitlines() if line.startswith("note: ")]


def wait_until(holds: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of one process."""
    place = new_place(tmp_path_factory.mktemp("one"))
    finished(place, 1, OMP_NUM_THREADS="1")
    return contents(place / "kept")


@pytest.mark.parametrize("workers", quick_and_slow([4], [2]))
def test_the_same_bytes(place, one, workers):
    """Each unit is computed once, all workers work, and each has its share of the cores unless one says otherwise."""
    notices = finished(place, workers, OMP_NUM_THREADS="1")
    assert notices == [f"note: {workers} workers of 1 thread", "note: a stub"]
    units, processes, threads = zip(*begun(place), strict=True)
    assert sorted(units) == sorted(NAMES)
    assert len(set(processes)) == workers
    assert set(threads) == {"1"}
    assert contents(place / "kept") == one


def stopped(place: Path, process: subprocess.Popen[str]) -> tuple[str, int]:
    """The unit that never ends, and the worker that is at it, when all else is done that does not wait for it."""
    wait_until(lambda: (place / "stopped").is_file() and (place / "stopped").read_text(), process)
    unit, pid = (place / "stopped").read_text().split()
    return unit, int(pid)


def is_alive(pid: int) -> bool:
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_its_unit(place, one):
    """The others do it, and the run ends as it would have."""
    process = start(place, 3, STUB_STOP="1", OMP_NUM_THREADS="1")
    unit, pid = stopped(place, process)
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Sums add up" in out
    [told] = [line for line in err.splitlines() if line.startswith("note: worker")]
    assert told.endswith("was killed by signal 9; what it was at is free for the others")
    assert sorted(name for name, *_ in begun(place)) == sorted([*NAMES, unit])
    assert contents(place / "kept") == one


@pytest.mark.slow
@pytest.mark.parametrize("by", quick_and_slow([signal.SIGINT], [signal.SIGTERM]))
def test_ctrl_c_stops_all(place, one, by):
    process = start(place, 3, STUB_STOP="1", OMP_NUM_THREADS="1")
    stopped(place, process)
    os.kill(process.pid, by)
    out, err = process.communicate(timeout=60)
    last = err.splitlines()[-1]
    assert (process.returncode, out) == (130, "")
    assert "neurosteer: interrupted: " in last
    assert last.endswith(f"; to go on: neurosteer {' '.join(ASKED)} --workers 3")
    assert "Traceback" not in err
    assert not any(is_alive(int(path.name)) for path in (place / "there").iterdir())
    assert [path.name for path in place.rglob(".*") if path.suffix != ".lock" and path.is_file()] == []
    finished(place, 1, OMP_NUM_THREADS="1")
    assert contents(place / "kept") == one


@pytest.mark.slow
def test_workers_end_when_nobody_is_there_to_hear_them(place, one):
    """The command itself is killed: those that it started end with their units."""
    process = start(place, 3, STUB_STOP="1", OMP_NUM_THREADS="1")
    _, held = stopped(place, process)
    process.kill()
    process.wait(60)
    others = [int(path.name) for path in (place / "there").iterdir() if int(path.name) not in (held, process.pid)]
    deadline = time.monotonic() + 60
    while any(map(is_alive, others)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, others))
    os.kill(held, signal.SIGKILL)
    process.communicate(timeout=60)
    finished(place, 1, OMP_NUM_THREADS="1")
    assert contents(place / "kept") == one
