"""Several processes at one run: each claims what is free, and the files are those of one process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sizes import quick_and_slow
from stub_recipe import DIGEST, KEPT, NAMES, contents, crossing_units, stub_units

from neurosteer.errors import NeurosteerError
from neurosteer.progress import Progress
from neurosteer.runner import Ran, Unit, UnitResult, run_units
from neurosteer.runner import result_store as result_store_module
from neurosteer.runner.claims import Claims
from neurosteer.runner.run_lock import run_lock

TESTS = Path(__file__).resolve().parents[1]


def toy(name: str, group: str, *needs: str, scratch: bool = False) -> Unit:
    def compute(read: Any) -> UnitResult:
        return UnitResult({"x": np.array([1.0 + sum(float(read(need).arrays["x"][0]) for need in needs)])}, {})

    return Unit(name, group, 1.0, compute, needs, scratch)


def files(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "units").glob("*.safetensors")}


def claimed(claims: Claims, units: list[Unit], group: str = "") -> str | None:
    with claims.first_of(units, group) as unit:
        return unit and unit.name


def test_who_claims_what(tmp_path):
    """The own group, then groups where nobody works, then the rest; what others hold, never."""
    claims = Claims(tmp_path)
    units = [toy("a1", "a"), toy("a2", "a"), toy("b1", "b"), toy("joint", "")]
    assert claimed(claims, units) == "a1"
    assert claimed(claims, units, "b") == "b1"
    assert claimed(claims, units, "c") == "a1"
    with claims.of("a1") as mine:
        assert mine
        assert claims.held() == ["a1"]
        assert claimed(claims, units) == "b1"
        assert claimed(claims, units, "a") == "a2"
        assert claimed(claims, units[:2]) == "a2"
        assert claimed(claims, units[:1]) is None
        with claims.of("a1") as again:
            assert not again
    assert claims.held() == []
    claims.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_helps(tmp_path):
    """It begins in the midst of the first, which finds everything done that it left."""
    others: list[Ran] = []

    def beside(name: str) -> None:
        if name == "joint-0":
            others.append(run_beside())

    def run_beside() -> Ran:
        """All that can be done while `joint-0` is held: then it would wait, so it is told to stop."""
        with pytest.raises(KeyboardInterrupt):
            run_units(stub_units(), tmp_path / "run", DIGEST, progress=StopsWhenItWaits())
        return Ran((), len(files(tmp_path / "run")))

    ran = run_units(stub_units(beside), tmp_path / "run", DIGEST)
    assert ran == Ran(tuple(NAMES[:37]), 40)
    run_units(stub_units(), tmp_path / "whole", DIGEST)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    assert others == [Ran((), 33)]


class StopsWhenItWaits(Progress):
    """Ctrl-C at the second look in which nothing has changed."""

    def __init__(self) -> None:
        self.last = -1

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        if done == self.last:
            raise KeyboardInterrupt
        self.last = done


def test_what_is_done_meanwhile_is_not_done_again(tmp_path):
    """Between the look and the claim."""
    units = [toy("a", "a"), toy("b", "b")]
    original = Claims.first_of
    begun: list[str] = []

    def late(self: Claims, ready: Any, group: str) -> Any:
        if not begun:
            begun.append("others")
            run_units(units, tmp_path, DIGEST)
        return original(self, ready, group)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Claims, "first_of", late)
        assert run_units(units, tmp_path, DIGEST) == Ran((), 2)


def test_a_failing_unit_is_free_for_others(tmp_path):
    def failing(_: Any) -> UnitResult:
        raise NeurosteerError("the device is gone")

    units = [toy("a", "a"), toy("b", "b")]
    with pytest.raises(NeurosteerError, match="gone"):
        run_units([replace(units[0], compute=failing), units[1]], tmp_path, DIGEST)
    assert Claims(tmp_path).held() == []
    assert run_units(units, tmp_path, DIGEST).computed == ("a", "b")


def test_files_are_verified_once(tmp_path, monkeypatch):
    looked: list[str] = []
    original = result_store_module.verify_artefact

    def verifying(path: Path, kind: str) -> Any:
        looked.append(path.stem)
        return original(path, kind)

    units = crossing_units()
    run_units(units[:8], tmp_path, DIGEST)
    monkeypatch.setattr(result_store_module, "verify_artefact", verifying)
    run_units(units, tmp_path, DIGEST)
    assert looked == [f"focus-{t}" for t in range(4)]


def test_half_written_files_of_others_stay(tmp_path):
    """They are being written; those of the dead go."""
    (tmp_path / "units").mkdir()
    names = {task: tmp_path / "units" / f".block-{task}-0.safetensors.abcd" for task in (0, 1)}
    names[0].write_bytes(b"half")
    run_units(stub_units(), tmp_path, DIGEST)
    assert not names[0].exists()
    names[1].write_bytes(b"half")
    with Claims(tmp_path).of("block-1-0"):
        run_units(stub_units(), tmp_path, DIGEST)
        assert names[1].exists()
    run_units(stub_units(), tmp_path, DIGEST)
    assert not names[1].exists()


MANY = """
import json, os, random, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stub_recipe import DIGEST, logging_to, stub_units
from neurosteer.runner.execution import run_units

place, workers, kills, tasks = Path(sys.argv[2]), *map(int, sys.argv[3:])
log, rng = place / "log", random.Random(workers)

def started():
    child = os.fork()
    if child == 0:
        run_units(stub_units(logging_to(log), pause=0.002, tasks=tasks), place / "run", DIGEST)
        os._exit(0)
    return child

alive = {started() for _ in range(workers)}
while alive:
    if kills:
        time.sleep(rng.uniform(0, 0.1))
        child = rng.choice(sorted(alive))
        os.kill(child, signal.SIGKILL)
        kills -= os.WIFSIGNALED(os.waitpid(child, 0)[1])
        alive = alive - {child} | {started()}
    else:
        child, status = os.wait()
        assert status == 0
        alive.discard(child)
print(json.dumps({"torch": "torch" in sys.modules}))
"""


def many(place: Path, workers: int, *, kills: int = 0, tasks: int = 6) -> list[str]:
    """So many processes at one run, of which some are killed; gives the units that were begun."""
    place.mkdir()
    command = [sys.executable, "-c", MANY, str(TESTS), str(place), *map(str, (workers, kills, tasks))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"torch": False}
    return (place / "log").read_text().split()


@pytest.mark.parametrize("workers", quick_and_slow([4], [1, 2]))
def test_processes_share_the_units_out(tmp_path, workers):
    """R27 on stubs: each unit is computed once, by whomever, and the files are those of one process."""
    assert sorted(many(tmp_path / "many", workers)) == sorted(NAMES)
    run_units(stub_units(), tmp_path / "one", DIGEST)
    assert contents(tmp_path / "many" / "run") == contents(tmp_path / "one")
    assert files(tmp_path / "one") == set(KEPT)


@pytest.mark.parametrize(
    ("workers", "tasks", "kills"),
    [(3, 6, 6), *(pytest.param(n, 33, 60, marks=pytest.mark.slow) for n in (1, 2, 4, 8))],
)
def test_a_killed_process_loses_its_unit_only(tmp_path, workers, tasks, kills):
    """The slow ones: 202 units, killed 60 times at random."""
    begun = many(tmp_path / "many", workers, kills=kills, tasks=tasks)
    units = stub_units(tasks=tasks)
    assert set(begun) == {unit.name for unit in units}
    assert len(begun) <= len(units) + 2 * kills  # a unit, and the states that it needs where they were not kept
    run_units(units, tmp_path / "one", DIGEST)
    assert contents(tmp_path / "many" / "run") == contents(tmp_path / "one")


def test_one_joins_and_the_others_wait(tmp_path):
    order: list[str] = []

    def waiting() -> None:
        with run_lock(tmp_path):
            order.append("second")

    thread = threading.Thread(target=waiting)
    with run_lock(tmp_path):
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
