"""Shards: whole tasks each, side by side, and the same files in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stub_recipe import DIGEST, NAMES, TASKS, contents, stub_plan

from neurosteer.errors import InputError, NeurosteerError
from neurosteer.studies.recipes import Piece, Plan, Ran, Shard, Unit, run_units

JOINTS = tuple(name for name in NAMES if name.startswith("joint"))


def of_tasks(*tasks: int) -> tuple[str, ...]:
    return tuple(name for name in NAMES if name.split("-")[0] != "joint" and int(name.split("-")[1]) in tasks)


def kept(*names: str) -> tuple[str, ...]:
    return tuple(name for name in names if not name.startswith("states"))


def toy(name: str, group: str, *needs: str, scratch: bool = False) -> Unit:
    def compute(read: Any) -> Piece:
        return Piece({"x": np.array([1.0 + sum(float(read(need).arrays["x"][0]) for need in needs)])}, {})

    return Unit(name, group, 1.0, compute, needs, scratch)


def run(units: list[Unit], folder: Path, shard: str | None = None) -> Ran:
    return run_units(Plan(units, lambda _: {}, {}), folder, DIGEST, shard=shard and Shard.parse(shard))


def files(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "units").glob("*.safetensors")}


def test_each_takes_every_nth_task(tmp_path):
    """In the order of their first unit; the last run computes what joins them, and the files are the same."""
    folder, whole = tmp_path / "sharded", tmp_path / "whole"
    run_units(stub_plan(), whole, DIGEST)
    before: tuple[str, ...] = ()
    for index, tasks in ((3, (2, 5)), (1, (0, 3)), (2, (1, 4))):
        ran = run_units(stub_plan(), folder, DIGEST, shard=Shard(index, 3))
        before += kept(*of_tasks(*tasks))
        # states of tasks whose blocks others have done are needed no more
        missing = [t for t in range(TASKS) if f"block-{t}-0" not in before]
        waiting = (*of_tasks(*missing), *JOINTS)
        assert ran == Ran(of_tasks(*tasks), 12, waiting)
        assert files(folder) == set(before)
    assert run_units(stub_plan(), folder, DIGEST) == Ran(JOINTS, 40, ())
    assert contents(folder) == contents(whole)
    assert run_units(stub_plan(), folder, DIGEST, shard=Shard(2, 3)) == Ran((), 12, ())


def test_more_shards_than_tasks(tmp_path):
    ran = run_units(stub_plan(), tmp_path, DIGEST, shard=Shard(7, 9))
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
    assert run(units, tmp_path, "2/2") == Ran(("b2",), 1, ("s", "a", "b1", "b3"))
    assert run(units, tmp_path, "1/2") == Ran(("s", "a"), 2, ("b1", "b3"))
    assert run(units, tmp_path, "2/2") == Ran(("b1", "b3"), 3, ())
    relying = [toy("s", "a", scratch=True), toy("a", "a", "s"), toy("b", "b", "s")]
    other = tmp_path / "other"
    run([*relying[:1], toy("a", "a", "s"), toy("hold", "", "s")], other, "1/2")
    assert files(other) == {"s", "a"}
    assert run(relying, other, "2/2") == Ran((), 0, ("s", "b"))


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
    run_units(stub_plan(), tmp_path, DIGEST, shard=Shard(1, 2))
    assert not (tmp_path / "units" / names[0]).exists()
    assert (tmp_path / "units" / names[1]).exists()
    run_units(stub_plan(), tmp_path, DIGEST)
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
                run_units(stub_plan(), tmp_path, DIGEST, shard=second and Shard.parse(second))
                seen.append(True)
            except NeurosteerError as error:
                assert not isinstance(error, InputError)  # noqa: PT017
                seen.append(False)

    run_units(stub_plan(beside), tmp_path, DIGEST, shard=first and Shard.parse(first))
    assert seen == [together]


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1.0/2", "٣/٤", "1 / 2"])
def test_what_is_no_shard(text):
    with pytest.raises(InputError) as caught:
        Shard.parse(text)
    assert str(caught.value) == f"shard '{text}' is not i/n with i from 1 to n, like 2/4"


def test_a_shard_as_text():
    assert (Shard.parse("2/4"), str(Shard(2, 4))) == (Shard(2, 4), "2/4")
