"""What a run would take: units, time, disk and memory, before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neurosteer.experiments.recipe.recipe import Recipe
from neurosteer.progress import QUIET, Progress
from neurosteer.runner.execution import scheduled
from neurosteer.runner.result_store import ResultStore
from neurosteer.runner.schedule import Schedule, users_of

from .run import Prepared, prepare, weights_of


@dataclass(frozen=True)
class RunEstimate:
    """What is done of a run, what is to do, and what that takes."""

    folder: Path
    units: int
    done: int
    tasks: int
    skipped: int  # tasks that cannot be split as asked
    sentences: int
    seconds: float  # of the rest, as the costs of the units say it: on 2 CPU cores, whatever the device is
    device: str  # "cpu", "cuda", ...: where the model is
    kept: int  # bytes that the finished units take on disk
    scratch: int  # bytes that pass through the disk, at their most
    memory: int  # bytes of the models and of the largest results in use at once


def estimate_recipe(
    recipe: Recipe,
    *,
    out: Path,
    offline: bool = False,
    progress: Progress = QUIET,
) -> RunEstimate:
    """What `run_recipe` would have to do. Loads pairs and model, writes nothing."""
    made = prepare(recipe, out=out, offline=offline, progress=progress)
    store = ResultStore(made.folder, made.digest)
    return _estimate(made, store, scheduled(made.plan.units, store, progress))


def _estimate(made: Prepared, store: ResultStore, found: Schedule) -> RunEstimate:
    units = {unit.name: unit for unit in made.plan.units}
    paths = {name: store.path(name) for name in units}
    sizes = {name: path.stat().st_size if path.is_file() else units[name].size for name, path in paths.items()}
    in_use = [sizes[name] + sum(sizes[need] for need in units[name].needs) for name in found.pending]
    return RunEstimate(
        folder=made.folder,
        units=len(units),
        done=len(units) - len(found.pending),
        tasks=len(made.plan.scope.tasks),
        skipped=len(made.plan.scope.skipped),
        sentences=2 * made.plan.scope.data.pairs,
        seconds=sum((units[name].cost for name in found.pending), 0.0),
        device=made.model.device.type,
        kept=sum(sizes[name] for name in units if not units[name].scratch),
        scratch=_most_scratch(made, found, sizes),
        memory=made.plan.models * weights_of(made) + max(in_use, default=0),
    )


def _most_scratch(made: Prepared, found: Schedule, sizes: dict[str, int]) -> int:
    """The most bytes of scratch that lie on disk at once while the missing units are computed."""
    users, scratch = users_of(made.plan.units), {unit.name for unit in made.plan.units if unit.scratch}
    missing = set(found.pending)
    there = {name for name in scratch if users[name] & missing and name not in missing}
    most = sum(sizes[name] for name in there)
    for name in found.pending:
        there |= {name} & scratch
        most = max(most, sum(sizes[one] for one in there))
        missing.discard(name)
        there = {one for one in there if users[one] & missing}
    return most
