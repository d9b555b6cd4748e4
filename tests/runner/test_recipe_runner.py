"""The runner on stubbed units: order, resuming, scratch, damage, mixing, memory."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from stub_recipe import DIGEST, KEPT, NAMES, TASKS, contents, expected_sums, stub_plan, stub_units

from neurosteer.artefacts import Schema, check_path
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.progress import Progress
from neurosteer.runner import Interrupted, Ran, Unit, UnitResult, run_units
from neurosteer.runner.result_store import ResultStore
from neurosteer.store import verify_artefact, write_artefact


class Told(Progress):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.jobs: list[tuple[int, int, float, float]] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def whole(self, done: int, total: int, *, share: float, left: float) -> None:
        self.jobs.append((done, total, share, left))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run_units(stub_units(), folder, DIGEST)
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copied"))


def computed(folder: Path, told: Progress | None = None, units: Callable[..., list[Unit]] = stub_units) -> list[str]:
    """Run, and give the units whose computing began."""
    begun: list[str] = []
    run_units(units(begun.append), folder, DIGEST, progress=told or Told())
    return begun


def file(folder: Path, name: str) -> Path:
    return folder / "units" / f"{name}.safetensors"


def toy(name: str, *needs: str, group: str = "t", scratch: bool = False, begun: list[str] | None = None) -> Unit:
    """A unit that adds 1 to the sum of what it needs."""

    def compute(read: Any) -> UnitResult:
        if begun is not None:
            begun.append(name)
        return UnitResult({"x": np.array([1.0 + sum(float(read(need).arrays["x"][0]) for need in needs)])}, {})

    return Unit(name, group, 1.0, compute, tuple(needs), scratch)


def test_every_unit_once_and_in_order(tmp_path):
    begun: list[str] = []
    ran = run_units(stub_units(begun.append), tmp_path / "run", DIGEST)
    assert begun == NAMES
    assert ran == Ran(tuple(NAMES), 40)
    assert sorted(contents(tmp_path / "run")) == sorted(f"units/{name}.safetensors" for name in KEPT)


def test_what_units_leave(whole):
    """By the safetensors library and by hand."""
    for task in range(TASKS):
        for block in range(5):
            np.testing.assert_array_equal(
                load_file(file(whole, f"block-{task}-{block}"))["value"],
                np.arange(block * 10.0, block * 10 + 10) * (task + 1),
            )
    sums = [float(load_file(file(whole, f"joint-{j}"))["value"].sum()) for j in range(4)]
    assert sums == expected_sums()
    assert stub_plan().results(ResultStore(whole, DIGEST).read)["stub"]["sums"] == sums
    about = verify_artefact(file(whole, "joint-0"), "unit")
    assert about == {"unit": "joint-0", "digest": DIGEST, "values": {"sum": sums[0]}}
    assert {(row["kind"], row["ok"]) for row in check_path(whole)} == {("unit", True)}


def test_a_finished_run_computes_nothing(copied):
    before = contents(copied)
    assert computed(copied) == []
    assert contents(copied) == before


def test_only_what_is_missing_is_computed(copied, whole):
    """With the scratch that it needs, and no other."""
    file(copied, "block-2-1").unlink()
    file(copied, "joint-3").unlink()
    assert computed(copied) == ["states-2", "block-2-1", "joint-3"]
    assert contents(copied) == contents(whole)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other name", "other kind", "foreign"])
def test_a_damaged_unit_is_told_and_computed_again(copied, whole, damage):
    path = file(copied, "joint-1")
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-3] ^= 4
    path.write_bytes({"cut": content[:50], "empty": b""}.get(damage, content))
    if damage == "other name":
        shutil.copy(file(copied, "joint-0"), path)
    elif damage == "other kind":
        write_artefact(path, "ranking", {}, {})
    elif damage == "foreign":
        save_file({"w": np.zeros(3)}, path)
    told = Told()
    assert computed(copied, told) == ["joint-1"]
    [notice] = told.notices
    assert str(path) in notice
    assert notice.endswith("; computing it again")
    assert contents(copied) == contents(whole)


def test_units_of_another_run_are_refused(copied):
    """Before anything is computed or changed."""
    file(copied, "block-0-0").unlink()
    before = contents(copied)
    begun: list[str] = []
    with pytest.raises(InputError) as caught:
        run_units(stub_units(begun.append), copied, "e" * 64)
    assert str(caught.value) == (
        f"{file(copied, 'block-0-1')} belongs to another recipe, model or data; runs are not mixed: "
        f"delete {copied} or name another folder with --out"
    )
    assert (begun, contents(copied)) == ([], before)


def test_leftovers_of_a_killed_run(copied, whole):
    """Scratch that has served and half-written files go; what is not ours stays."""
    ResultStore(copied, DIGEST).write("states-4", UnitResult({"value": np.arange(50.0) * 5}, {"sum": 0.0}))
    half = [copied / "units" / f".{name}.safetensors.x1y2" for name in ("states-1", "joint-2")]
    for path in half:
        path.write_bytes(b"half")
    (copied / "units" / ".mine").write_text("mine")
    (copied / "notes.txt").write_text("mine")
    assert computed(copied) == []
    assert contents(copied) == {**contents(whole), "units/.mine": b"mine", "notes.txt": b"mine"}


def test_scratch_that_is_still_needed_is_used(copied, whole):
    """A killed run leaves it for the units that it did not reach."""
    ResultStore(copied, DIGEST).write("states-4", UnitResult({"value": np.arange(50.0) * 5}, {"sum": 6125.0}))
    file(copied, "block-4-3").unlink()
    assert computed(copied) == ["block-4-3"]
    assert contents(copied) == contents(whole)


def test_scratch_of_scratch(tmp_path):
    """Each is there as long as it must, and what nobody needs is never computed."""
    begun: list[str] = []
    there: list[set[str]] = []

    def watching(unit: Unit) -> Unit:
        def compute(read: Any) -> UnitResult:
            there.append({path.stem for path in (tmp_path / "units").glob("*.safetensors")})
            return unit.compute(read)

        return replace(unit, compute=compute)

    units = [
        toy("a", scratch=True, begun=begun),
        toy("idle", scratch=True, begun=begun),
        toy("b", "a", scratch=True, begun=begun),
        toy("c", "b", begun=begun),
        toy("d", "b", "c", begun=begun),
        toy("e", "c", begun=begun),
    ]
    watched = [watching(unit) for unit in units]
    run_units(watched, tmp_path, DIGEST)
    assert begun == ["a", "b", "c", "d", "e"]
    assert there == [set(), {"a"}, {"b"}, {"b", "c"}, {"c", "d"}]
    assert {path.stem: float(load_file(path)["x"][0]) for path in (tmp_path / "units").iterdir()} == {
        "c": 3.0,
        "d": 6.0,
        "e": 4.0,
    }
    file(tmp_path, "e").unlink()
    begun.clear()
    run_units(watched, tmp_path, DIGEST)
    assert begun == ["e"]


@pytest.mark.parametrize(
    ("units", "told"),
    [
        ([toy("a"), toy("a")], "'a' is there twice"),
        ([toy("../a")], "no stem of a file"),
        ([toy("a/b")], "no stem of a file"),
        ([toy("")], "no stem of a file"),
        ([toy("a", "b"), toy("b")], "needs 'b', which does not stand before it"),
    ],
)
def test_a_plan_that_cannot_be_run(tmp_path, units, told):
    with pytest.raises(ValueError, match=told):
        run_units(units, tmp_path / "run", DIGEST)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_unit_reads_only_what_it_needs(tmp_path):
    secret = Unit("b", "t", 1.0, lambda read: read("a"))
    with pytest.raises(ValueError, match="'b' reads 'a' and does not say that it needs it"):
        run_units([toy("a"), secret], tmp_path, DIGEST)


def test_states_are_read_once_and_then_let_go(tmp_path, monkeypatch):
    """Blocks of one task share what they read; when the next task's states are made, it is gone."""
    reads: list[str] = []
    alive: list[weakref.ref[UnitResult]] = []
    original = Schema.read

    def reading(kind: Schema, path: Path, **lengths: int) -> Any:
        reads.append(path.stem)
        return original(kind, path, **lengths)

    monkeypatch.setattr(Schema, "read", reading)

    def watched(unit: Unit) -> Unit:
        def compute(read: Any) -> UnitResult:
            if unit.scratch:
                assert [one for one in alive if one() is not None] == []

            def remembering(name: str) -> UnitResult:
                piece = read(name)
                alive.append(weakref.ref(piece))
                return piece

            return unit.compute(remembering)

        return replace(unit, compute=compute)

    run_units([watched(unit) for unit in stub_units()], tmp_path, DIGEST)
    assert [name for name in reads if name.startswith("states")] == [f"states-{t}" for t in range(TASKS)]
    assert len(alive) == 30 + 4 * TASKS


def test_a_failing_unit_keeps_the_others(tmp_path, whole):
    def failing(name: str) -> None:
        if name == "block-1-2":
            raise NeurosteerError("the device is gone")

    told = Told()
    with pytest.raises(NeurosteerError, match="the device is gone"):
        run_units(stub_units(failing), tmp_path / "run", DIGEST, progress=told)
    assert told.notices == [f"stopped: 9 of 40 units are kept in {tmp_path / 'run'}"]
    assert computed(tmp_path / "run") == NAMES[9:]
    assert contents(tmp_path / "run") == contents(whole)


def test_an_interrupt_says_what_is_kept(tmp_path):
    def interrupting(name: str) -> None:
        if name == "joint-0":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        run_units(stub_units(interrupting), tmp_path, DIGEST)
    assert str(caught.value) == f"interrupted: 36 of 40 units are kept in {tmp_path}"
    assert isinstance(caught.value, KeyboardInterrupt)


def test_a_full_disk_keeps_the_others(tmp_path, monkeypatch, whole):
    with monkeypatch.context() as patch:
        original = ResultStore.write

        def full(self: ResultStore, name: str, piece: UnitResult) -> None:
            if name == "block-2-2":
                raise OSError(28, "No space left on device")
            original(self, name, piece)

        patch.setattr(ResultStore, "write", full)
        with pytest.raises(OSError, match="No space left"):
            computed(tmp_path / "run")
    assert computed(tmp_path / "run")[0] == "block-2-2"
    assert contents(tmp_path / "run") == contents(whole)


def test_progress_is_weighted_by_cost(tmp_path, monkeypatch):
    """States cost 2, everything else 1: 46 in all; a second of the clock is a unit of cost and a half."""
    clock = [100.0]
    monkeypatch.setattr("neurosteer.runner.execution.monotonic", lambda: clock[0])

    def ticking(name: str) -> None:
        clock[0] += 3.0 if name.startswith("states") else 1.5

    told = Told()
    run_units(stub_units(ticking), tmp_path, DIGEST, progress=told)
    spent = [0.0]
    for name in NAMES:
        spent.append(spent[-1] + (2.0 if name.startswith("states") else 1.0))
    assert spent[-1] == 46.0
    assert [job[:2] for job in told.jobs] == [(done, 40) for done in range(41)]
    np.testing.assert_allclose([job[2] for job in told.jobs], [cost / 46 for cost in spent], atol=1e-12)
    left = [46.0 - cost for cost in spent]
    paced = [left[0], *(1.5 * rest for rest in left[1:])]
    np.testing.assert_allclose([job[3] for job in told.jobs], paced, atol=1e-9)


@pytest.mark.parametrize("at", ["states-1", "block-1-0"])
@pytest.mark.parametrize("what", ["run", "units"])
def test_a_folder_that_is_deleted_midway(at: str, what: str, tmp_path: Path):
    """One line with the way out, exit 1; nothing comes back half, and the same run can be given again."""
    folder = tmp_path / "run"

    def begins(name: str) -> None:
        if name == at:
            shutil.rmtree(folder if what == "run" else folder / "units")

    with pytest.raises(NeurosteerError) as error:
        run_units(stub_units(begins), folder, DIGEST, progress=Told())
    assert error.value.exit_code == 1
    assert "was deleted while the run went on; give the same command again" in str(error.value)
    assert "\n" not in str(error.value)
    run_units(stub_units(), folder, DIGEST, progress=Told())
    assert {path.stem for path in (folder / "units").glob("*.safetensors")} == set(KEPT)
