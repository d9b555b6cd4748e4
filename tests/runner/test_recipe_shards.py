"""Shards: whole tasks each, side by side, and the same files in the end."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stub_recipe import DIGEST, NAMES, TASKS, contents, crossing_units, stub_units

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.runner import Interrupted, Ran, Shard, Unit, UnitResult, run_units
from neurosteer.runner import result_store as result_store_module
from neurosteer.runner.run_lock import run_lock

JOINTS = tuple(name for name in NAMES if name.startswith("joint"))


def of_tasks(*tasks: int) -> tuple[str, ...]:
    return tuple(name for name in NAMES if name.split("-")[0] != "joint" and int(name.split("-")[1]) in tasks)


def kept(*names: str) -> tuple[str, ...]:
    return tuple(name for name in names if not name.startswith("states"))


def toy(name: str, group: str, *needs: str, scratch: bool = False) -> Unit:
    def compute(read: Any) -> UnitResult:
        return UnitResult({"x": np.array([1.0 + sum(float(read(need).arrays["x"][0]) for need in needs)])}, {})

    return Unit(name, group, 1.0, compute, needs, scratch)


def run(units: list[Unit], folder: Path, shard: str | None = None) -> Ran:
    return run_units(units, folder, DIGEST, shard=shard and Shard.parse(shard))


def files(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "units").glob("*.safetensors")}


def test_each_takes_every_nth_task(tmp_path):
    """In the order of their first unit; the last run computes what joins them, and the files are the same."""
    folder, whole = tmp_path / "sharded", tmp_path / "whole"
    run_units(stub_units(), whole, DIGEST)
    before: tuple[str, ...] = ()
    for index, tasks in ((3, (2, 5)), (1, (0, 3)), (2, (1, 4))):
        ran = run_units(stub_units(), folder, DIGEST, shard=Shard(index, 3))
        before += kept(*of_tasks(*tasks))
        # states of tasks whose blocks others have done are needed no more
        missing = [t for t in range(TASKS) if f"block-{t}-0" not in before]
        waiting = (*of_tasks(*missing), *JOINTS)
        assert ran == Ran(of_tasks(*tasks), 12, waiting)
        assert files(folder) == set(before)
    assert run_units(stub_units(), folder, DIGEST) == Ran(JOINTS, 40, ())
    assert contents(folder) == contents(whole)
    assert run_units(stub_units(), folder, DIGEST, shard=Shard(2, 3)) == Ran((), 12, ())


def test_more_shards_than_tasks(tmp_path):
    ran = run_units(stub_units(), tmp_path, DIGEST, shard=Shard(7, 9))
    assert (ran.computed, ran.done, len(ran.waiting)) == ((), 0, 40)
    assert files(tmp_path) == set()


def test_a_unit_waits_for_another_shard(tmp_path):
    """And goes on when that is done; scratch of another shard is never relied upon."""
    units = [
        toy("s", "a", scratch=True),
        toy("a", "a", "s"),
        toy("b1", "b", "a"),
        toy("b2", "b"),
        toy("b3", "b", "b1"),
    ]
    assert run(units, tmp_path, "2/2") == Ran(("b2",), 1, ("s", "a", "b1", "b3"), ("b1", "b3"))
    assert run(units, tmp_path, "1/2") == Ran(("s", "a"), 2, ("b1", "b3"))
    assert run(units, tmp_path, "2/2") == Ran(("b1", "b3"), 3, ())
    relying = [toy("s", "a", scratch=True), toy("a", "a", "s"), toy("b", "b", "s")]
    other = tmp_path / "other"
    run([*relying[:1], toy("a", "a", "s"), toy("hold", "", "s")], other, "1/2")
    assert files(other) == {"s", "a"}
    assert run(relying, other, "2/2") == Ran((), 0, ("s", "b"))


def test_what_others_do_meanwhile_is_gone_on_with(tmp_path):
    """While the last unit of a shard is computed, the others finish theirs: its cells are computed as well."""

    def others(name: str) -> None:
        if name == "focus-3":
            run_units(crossing_units(), tmp_path, DIGEST, shard=Shard(1, 2))

    ran = run_units(crossing_units(others), tmp_path, DIGEST, shard=Shard(2, 2))
    assert ran.computed == ("states-1", "focus-1", "states-3", "focus-3", "cell-1", "cell-3")
    assert (ran.done, ran.deferred, ran.waiting) == (6, (), ("cell-0", "cell-2", *JOINTS))


def test_shards_one_after_the_other(tmp_path):
    """All but the last leave their cells, and compute them when they are asked again; one machine only joins them."""
    shards = [Shard(index, 3) for index in (1, 2, 3)]
    cells = [("cell-0", "cell-3"), ("cell-1",), ("cell-2",)]
    first = [run_units(crossing_units(), tmp_path, DIGEST, shard=shard) for shard in shards]
    assert [ran.deferred for ran in first] == [*cells[:2], ()]
    assert [set(ran.computed) & set(cells[i]) for i, ran in enumerate(first)] == [set(), set(), set(cells[2])]
    again = [run_units(crossing_units(), tmp_path, DIGEST, shard=shard) for shard in shards[:2]]
    assert [(ran.computed, ran.deferred) for ran in again] == [(cells[0], ()), (cells[1], ())]
    assert run_units(crossing_units(), tmp_path, DIGEST) == Ran(JOINTS, 16, ())


def test_only_what_shards_can_do_is_theirs_for_later(tmp_path):
    """No shard computes what joins them, or relies on scratch of another; and scratch is nothing by itself."""
    units = [
        toy("s", "a", scratch=True),
        toy("joint", "", "s"),
        toy("b", "b", "s"),
        toy("c", "a", "joint"),
        toy("d", "b"),
        toy("t", "a", scratch=True),
        toy("e", "a", "t", "d"),
        toy("f", "a", "b"),
        toy("alone", ""),
        toy("g", "a", "alone"),
    ]
    assert run(units, tmp_path, "1/2") == Ran((), 0, tuple(unit.name for unit in units), ("t", "e"))
    assert run(units, tmp_path, "2/2") == Ran(("d",), 1, ("s", "joint", "b", "c", "t", "e", "f", "alone", "g"))
    assert run(units, tmp_path, "1/2") == Ran(("t", "e"), 2, ("s", "joint", "b", "c", "f", "alone", "g"))
    assert run(units, tmp_path).computed == ("s", "joint", "b", "c", "f", "alone", "g")


def test_the_last_shard_sees_that_nothing_waits(tmp_path):
    """Where no unit joins them, although others were still at work when it began."""
    units = [toy("a", "a"), toy("b", "b")]

    def others(_: Any) -> UnitResult:
        assert run(units, tmp_path, "1/2") == Ran(("a",), 1, ("b",))
        return UnitResult({"x": np.zeros(1)}, {})

    assert run([units[0], replace(units[1], compute=others)], tmp_path, "2/2") == Ran(("b",), 1, ())


def test_a_second_look_verifies_no_file_again(tmp_path, monkeypatch):
    looked: list[str] = []
    original = result_store_module.verify_artefact

    def verifying(path: Path, kind: str) -> Any:
        looked.append(path.stem)
        return original(path, kind)

    run_units(crossing_units(), tmp_path, DIGEST, shard=Shard(1, 2))
    monkeypatch.setattr(result_store_module, "verify_artefact", verifying)
    run_units(crossing_units(), tmp_path, DIGEST, shard=Shard(2, 2))
    assert looked == ["focus-0", "focus-2"]


def test_an_interrupt_after_a_second_look_says_what_is_kept(tmp_path):
    def interrupting(name: str) -> None:
        if name == "focus-3":
            run_units(crossing_units(), tmp_path, DIGEST, shard=Shard(1, 2))
        if name == "cell-3":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        run_units(crossing_units(interrupting), tmp_path, DIGEST, shard=Shard(2, 2))
    assert str(caught.value) == f"interrupted: 5 of 6 units are kept in {tmp_path}"


def test_scratch_for_units_that_wait_is_not_computed(tmp_path):
    units = [toy("s", "a", scratch=True), toy("a", "a"), toy("joint", "", "s")]
    assert run(units, tmp_path, "1/1") == Ran(("a",), 1, ("s", "joint"))
    assert run(units, tmp_path) == Ran(("s", "joint"), 3, ())
    assert files(tmp_path) == {"a", "joint"}


def test_half_written_files_of_other_shards_stay(tmp_path):
    """They are being written."""
    (tmp_path / "units").mkdir()
    names = [f".block-{task}-0.safetensors.abcd" for task in (0, 1)]
    for name in names:
        (tmp_path / "units" / name).write_bytes(b"half")
    run_units(stub_units(), tmp_path, DIGEST, shard=Shard(1, 2))
    assert not (tmp_path / "units" / names[0]).exists()
    assert (tmp_path / "units" / names[1]).exists()
    run_units(stub_units(), tmp_path, DIGEST)
    assert not (tmp_path / "units" / names[1]).exists()


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (None, None, False),
        (None, "1/2", False),
        ("1/2", None, False),
        ("1/2", "1/2", False),
        ("1/2", "2/2", True),
        ("1/2", "2/3", False),
        ("1/12", "2/2", False),
    ],
)
def test_who_may_work_side_by_side(tmp_path, first, second, together):
    seen: list[bool] = []

    def beside(name: str) -> None:
        if name == "block-0-0":
            try:
                run_units(stub_units(), tmp_path, DIGEST, shard=second and Shard.parse(second))
                seen.append(True)
            except NeurosteerError as error:
                assert not isinstance(error, InputError)  # noqa: PT017
                seen.append(False)

    run_units(stub_units(beside), tmp_path, DIGEST, shard=first and Shard.parse(first))
    assert seen == [together]


AT_ONCE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from stub_recipe import DIGEST, crossing_units, stub_units
from neurosteer.runner.execution import run_units
from neurosteer.runner.shard import Shard

folder, number = Path(sys.argv[2]), 8
for attempt in range(5):
    ready, go = os.pipe()
    children = []
    for index in range(1, number + 1):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(ready, 1)  # ends when the last writer closes: for all at the same instant
            run_units(stub_units(), folder / str(attempt), DIGEST, shard=Shard(index, number))
            os._exit(0)
        children.append(child)
    os.close(go)
    assert not any([os.waitpid(child, 0)[1] for child in children])
    assert not run_units(stub_units(), folder / str(attempt), DIGEST).waiting
"""


def test_shards_start_at_the_same_instant(tmp_path):
    """None is refused because another one looks who is at work."""
    command = [sys.executable, "-c", AT_ONCE, str(Path(__file__).resolve().parents[1]), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_who_waits_is_let_in(tmp_path):
    """When the other is done, and not before."""
    order: list[str] = []

    def waiting() -> None:
        with run_lock(tmp_path, wait=True):
            order.append("second")

    thread = threading.Thread(target=waiting)
    with run_lock(tmp_path, Shard(1, 2)):
        thread.start()
        thread.join(0.3)
        with run_lock(tmp_path, Shard(2, 2)):  # one who waits keeps nobody else out
            order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2", "٣/٤", "1 / 2"])
def test_what_is_no_shard(text):
    with pytest.raises(InputError) as caught:
        Shard.parse(text)
    assert str(caught.value) == f"shard '{text}' is not i/n with i from 1 to n, like 2/4"


def test_a_shard_as_text():
    assert (Shard.parse("2/4"), str(Shard(2, 4))) == (Shard(2, 4), "2/4")
