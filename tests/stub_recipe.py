"""A recipe whose units only do some sums: 6 tasks with states and 5 blocks each, and 4 units that join them.

Neither it nor what it puts in the place of models, plans and figures imports torch.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from described import described

from neurosteer.progress import Progress
from neurosteer.runner.units import Read, Unit, UnitResult

TASKS, BLOCKS, JOINTS = 6, 5, 4
NAMES = [
    *(name for t in range(TASKS) for name in (f"states-{t}", *(f"block-{t}-{b}" for b in range(BLOCKS)))),
    *(f"joint-{j}" for j in range(JOINTS)),
]
KEPT = [name for name in NAMES if not name.startswith("states")]
DIGEST = "d" * 64


SCOPE = SimpleNamespace(tasks=[{"task": "made"}], skipped=[], data=SimpleNamespace(pairs=80))


@dataclass(frozen=True)
class StubPlan:
    """What stands for `neurosteer.experiments.plan.RecipePlan`."""

    units: Sequence[Unit]
    models: int = 1
    notices: Sequence[str] = ("a stub",)
    scope: Any = field(default_factory=lambda: SCOPE)

    def results(self, read: Read) -> dict[str, Any]:
        return {"stub": {"experiment": "stub", "sums": [read(f"joint-{j}").values["sum"] for j in range(JOINTS)]}}

    def verdicts(self, results: dict[str, Any]) -> list[Any]:
        said = {"claim": "a", "statement": "Sums add up.", "text": "holds in 4 of 4 joints", "reading": "They do."}
        return [SimpleNamespace(**said)]


@dataclass(frozen=True)
class StubOutcome:
    """What stands for `neurosteer.experiments.outcome.Outcome`."""

    version: str
    recipe: dict[str, Any]
    again: str
    scope: Any
    results: dict[str, Any]
    verdicts: list[Any]
    notices: list[str]

    def to_dict(self) -> dict[str, Any]:
        about = {"command": "run", "version": self.version, "model": {"name": "stub"}, "recipe": self.recipe}
        found = {"tasks": self.scope.tasks, "results": list(self.results.values()), "notices": self.notices}
        return {**about, **found, "verdicts": [vars(verdict) for verdict in self.verdicts]}


def stub_plan(started: Callable[[str], None] = lambda _: None) -> StubPlan:
    return StubPlan(stub_units(started))


def stub_units(
    started: Callable[[str], None] = lambda _: None, *, pause: float = 0.0, tasks: int = TASKS
) -> list[Unit]:
    """`started` is told each unit whose computing begins, which takes `pause` seconds."""

    def unit(name: str, group: str, needs: Sequence[str], value: Callable[[Read], np.ndarray]) -> Unit:
        def compute(read: Read) -> UnitResult:
            started(name)
            time.sleep(pause)
            found = value(read)
            return UnitResult({"value": found}, {"sum": float(found.sum())})

        scratch = name.startswith("states")
        return Unit(name, group, 2.0 if scratch else 1.0, compute, tuple(needs), scratch, 400)

    units = []
    for t in range(tasks):
        states = f"states-{t}"
        units.append(unit(states, f"task-{t}", (), lambda _, t=t: np.arange(50.0) * (t + 1)))
        for b in range(BLOCKS):
            value = lambda read, s=states, b=b: read(s).arrays["value"][b * 10 : b * 10 + 10]  # noqa: E731
            units.append(unit(f"block-{t}-{b}", f"task-{t}", (states,), value))
    for j in range(JOINTS):
        blocks = [f"block-{t}-{j}" for t in range(tasks)]
        units.append(unit(f"joint-{j}", "", blocks, lambda read, b=blocks: sum(read(n).arrays["value"] for n in b)))
    return units


def crossing_units(started: Callable[[str], None] = lambda _: None) -> list[Unit]:
    """4 tasks with states, a focus and a cell each, which needs the foci of all tasks; 4 units join the cells."""

    def unit(name: str, group: str, needs: Sequence[str], *, scratch: bool = False) -> Unit:
        def compute(read: Read) -> UnitResult:
            started(name)
            found = np.array([1.0 + sum(float(read(need).arrays["value"][0]) for need in needs)])
            return UnitResult({"value": found}, {"sum": float(found[0])})

        return Unit(name, group, 10.0 if name.startswith("cell") else 1.0, compute, tuple(needs), scratch, 400)

    foci, cells = ([f"{kind}-{t}" for t in range(4)] for kind in ("focus", "cell"))
    units = []
    for t, name in enumerate(foci):
        units += [unit(f"states-{t}", f"task-{t}", (), scratch=True), unit(name, f"task-{t}", [f"states-{t}"])]
    units += [unit(name, f"task-{t}", foci) for t, name in enumerate(cells)]
    return units + [unit(f"joint-{j}", "", cells) for j in range(JOINTS)]


def expected_sums() -> list[float]:
    """What `StubPlan.results` must find, in plain Python."""
    return [sum(float(i) * (t + 1) for t in range(TASKS) for i in range(10 * j, 10 * j + 10)) for j in range(JOINTS)]


def stub_rooms(plan: Callable[[], StubPlan], draw: Callable[[], None] = lambda: None) -> dict[str, ModuleType]:
    """What stands in `sys.modules` for the model, the plan and the figures of a recipe, by name."""
    weights = np.zeros(1000, dtype=np.float32)
    model = SimpleNamespace(
        name="stub",
        describe=lambda: described("stub"),
        device=SimpleNamespace(type="cpu"),
        bridge=SimpleNamespace(original_model=SimpleNamespace(parameters=lambda: [weights])),
    )

    def write_outcome(outcome: StubOutcome, folder: Path, progress: Progress) -> None:
        (folder / "results.json").write_text(json.dumps(outcome.to_dict()))
        (folder / "index.html").write_text("<p>made</p>")
        draw()
        (folder / "fig5.png").write_bytes(b"a figure")

    rooms = {
        "model": {"load_model": lambda name, **_: model},
        "experiments.plan": {"plan_recipe": lambda recipe, model, tasks, progress: plan()},
        "experiments.outcome": {"Outcome": StubOutcome},
        "experiments.files": {"write_outcome": write_outcome},
    }
    modules = {f"neurosteer.{name}": ModuleType(f"neurosteer.{name}") for name in rooms}
    for name, members in rooms.items():
        vars(modules[f"neurosteer.{name}"]).update(members)
    return modules


def write_pairs(path: Path, n: int = 80) -> Path:
    """A file of pairs."""
    rows = [{"sentence_good": f"good {i}", "sentence_bad": f"bad {i}"} for i in range(n)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_recipe(path: Path, **keys: object) -> Path:
    """A recipe about that file."""
    said = {"format": 1, "title": "Some sums", "experiments": ["fig5"], "data": "made.jsonl", **keys}
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items()))
    return path


def logging_to(path: Path) -> Callable[[str], None]:
    """Appends each name to a file at once, so that no kill can lose it."""

    def started(name: str) -> None:
        log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(log, f"{name}\n".encode())
        os.close(log)

    return started


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but locks, which stay for whoever comes next."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
