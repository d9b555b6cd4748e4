"""`run_recipe`: a whole experiment, from its recipe to its figures; what is done is not done again."""

from __future__ import annotations

import filecmp
import json
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError
from neurosteer.experiments.recipe import Recipe, override, read_recipe
from neurosteer.pairs import Pairs, load_tasks
from neurosteer.progress import AUTO, QUIET, Progress
from neurosteer.results import record
from neurosteer.runner.execution import Interrupted, Ran, run_units
from neurosteer.runner.result_store import ResultStore
from neurosteer.runner.run_lock import run_lock
from neurosteer.runner.run_metadata import METADATA, write_run_metadata
from neurosteer.runner.schedule import schedule, users_of
from neurosteer.runner.slurm import SlurmRequest, Submitted, submit
from neurosteer.runner.units import UNIT_FORMAT
from neurosteer.runner.workers import WorkerPlace, beside, in_words, places
from neurosteer.store import MANIFEST, digest_of, file_stem, fresh, write_manifest
from neurosteer.vocabulary import Json, Workers, read_workers

from .model_list import ModelList, check_models
from .recipe_run import RecipeRun
from .registry import check_names

if TYPE_CHECKING:
    from neurosteer.model import Model

    from .outcome import Outcome
    from .plan import RecipePlan

_DRAFT = ".draft"
_ELSEWHERE = {  # common keys that the model and the pairs themselves stand for, and those that change no unit
    *("model", "revision", "models", "device", "dtype", "device_map", "bos", "eos"),
    *("data", "tasks", "columns", "layout", "limit"),
    *("format", "name", "title"),
}


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that is known before the first unit runs."""

    recipe: Recipe
    model: Model  # of several the first
    tasks: Sequence[Pairs]
    plan: RecipePlan
    folder: Path
    digest: str
    models: ModelList | None = None  # where there are several


def run_recipe(
    recipe: str | os.PathLike[str] | Recipe,
    *,
    out: str | os.PathLike[str] = "runs",
    workers: int | str = 1,
    offline: bool = False,
    progress: Progress = AUTO,
    **overrides: Any,
) -> RecipeRun:
    """Run a recipe; units of work that are complete are not computed again. Several processes may share a folder.

    Args:
        recipe: the name of one that comes with neurosteer, a TOML file, or a `Recipe`.
        out: folder of runs; the run's own is named by recipe, model and a digest of the request. A run that was
            stopped continues there, and one that is finished is only drawn again.
        workers: number of processes of this machine; "auto" is one for each GPU, or else for each core. They start
            Python anew: a script calls this below `if __name__ == "__main__":`.
        offline: never use the network.
        progress: where progress and notices go.
        **overrides: keys of the recipe and their values (`lam` stands for `lambda`).

    Returns:
        A `RecipeRun`.

    Raises:
        InputError: for a recipe, key or value that is unknown.

    Example:
        >>> run = ns.run_recipe("fig5", model="gym", data="builtin:gym", tasks="number", limit=300, layers=[1])
        >>> run.outcome.verdicts[0].text
        'holds in 1 of 1 layers'
    """
    try:
        count = read_workers(workers)
    except ValueError as error:
        raise InputError(f"workers '{workers}' {error}") from None
    asked = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    asked = override(asked, {"lambda" if key == "lam" else key: value for key, value in overrides.items()})
    made = prepare(asked, out=Path(out), offline=offline, progress=progress)

    ran = _compute(made, Path(out), offline, count, progress)
    return RecipeRun(made.folder, _finish(made, progress), len(ran.computed))


def work_on_recipe(
    recipe: Recipe, progress: Progress = QUIET, *, out: Path, offline: bool, workers: Workers = 1
) -> Ran:
    """Compute the units of a recipe beside others who do, until all are done; nothing is joined or drawn."""
    return _compute(prepare(recipe, out=out, offline=offline, progress=progress), out, offline, workers, progress)


def submit_recipe(
    recipe: Recipe,
    slurm: SlurmRequest,
    *,
    out: Path,
    workers: Workers = 1,
    offline: bool = False,
    progress: Progress = QUIET,
) -> tuple[Path, Submitted]:
    """Submit a recipe to Slurm; gives the run's folder and what was submitted.

    Model and pairs are loaded here once, and so fetched: the tasks use no network. There are no more tasks than units
    that are left. Raises as `submit` does.
    """
    made = prepare(recipe, out=out, offline=offline, progress=progress)
    made.folder.mkdir(parents=True, exist_ok=True)
    for notice in _write_metadata(made):
        progress.notice(notice)
    place = out.absolute()
    work = partial(work_on_recipe, recipe, out=place, offline=True, workers=workers)
    join = partial(run_recipe, recipe, out=place, offline=True, workers=workers, progress=QUIET)
    return made.folder, submit(work, join, slurm.at_most_tasks(max(1, _left(made))), made.folder)


def _compute(made: Prepared, out: Path, offline: bool, workers: Workers, progress: Progress) -> Ran:
    """All units, with so many workers, of which this process is one."""
    fetched = made.models is not None  # here: others need not ask the hub for each of them again
    job = partial(work_on_recipe, made.recipe, out=out, offline=offline or fetched)
    memory = made.plan.models * weights_of(made)
    spread = made.recipe.device_map is not None
    found = [WorkerPlace(0)]
    if workers != 1:
        found = places(workers, device=made.recipe.device, memory=memory, spread=spread)[: max(1, _left(made))]
    if len(found) == 1:
        return _run_units(made, progress)
    progress.notice(in_words(found))
    with beside(job, found[1:], found[0], progress) as crew:
        return _run_units(made, crew)


def _left(made: Prepared) -> int:
    """How many units can be worked on, now or later."""
    units = made.plan.units
    return len(schedule(units, users_of(units), ResultStore(made.folder, made.digest).names()).pending)


def _run_units(made: Prepared, progress: Progress) -> Ran:
    def begin() -> None:
        for notice in _write_metadata(made):
            progress.notice(notice)

    return run_units(made.plan.units, made.folder, made.digest, begin=begin, progress=progress)


def weights_of(made: Prepared) -> int:
    """Bytes of the weights of one model."""
    return sum(weight.nbytes for weight in made.model.bridge.original_model.parameters())


def prepare(recipe: Recipe, *, out: Path, offline: bool, progress: Progress) -> Prepared:
    """Load pairs and model, and plan the units. Writes nothing."""
    check_names(recipe.experiments)  # a mistyped one is noticed before anything is loaded
    check_models(recipe)
    recipe = override(recipe, {})  # one that Python made may lack settings of its experiments
    tasks = load_tasks(
        recipe.tasks,
        source=recipe.data,
        limit=recipe.limit,
        seed=recipe.seed,
        columns=recipe.columns,
        layout=recipe.layout,
        offline=offline,
        progress=progress,
    )

    from .plan import plan_recipe

    described: Json
    if recipe.models is None:
        model = _one_model(recipe, offline, progress)
        several, plan = None, plan_recipe(recipe, model, tasks, progress)
        described, called = record(model.describe()), model.name
    else:
        several = ModelList.of(recipe, offline=offline, progress=progress)
        model = several.first
        plan = plan_recipe(recipe, model, tasks, progress, models=several)
        described, called = list(map(record, several.descriptions)), f"{len(several.names)}-models"
    digest = digest_of([UNIT_FORMAT, described, [_identity(pairs) for pairs in tasks], _settings(recipe)])
    name = f"run-{file_stem(recipe.name)}-{file_stem(Path(called).name)}-{digest[:8]}"
    return Prepared(recipe, model, tasks, plan, out / name, digest, several)


def _one_model(recipe: Recipe, offline: bool, progress: Progress) -> Model:
    from neurosteer.model import load_model

    return load_model(
        recipe.model,
        revision=recipe.revision,
        device=recipe.device,
        dtype=recipe.dtype,
        device_map=recipe.device_map,
        bos=recipe.bos,
        eos=recipe.eos,
        offline=offline,
        progress=progress,
    )


def _settings(recipe: Recipe) -> dict[str, Json]:
    """What decides the units beside model and pairs.

    Keys at their default are left out, so that runs outlive keys that are added to recipes; a change of a default
    has to raise `UNIT_FORMAT`.
    """
    plain = Recipe(recipe.name, own=tuple(type(settings)() for settings in recipe.own)).describe()
    marked = {key.name for settings in recipe.own for key in fields(settings) if key.metadata.get("changes_no_unit")}
    left_out = _ELSEWHERE | marked
    return {key: value for key, value in recipe.describe().items() if key not in left_out and value != plain[key]}


def _identity(pairs: Pairs) -> dict[str, Json]:
    return {"task": pairs.task, "phenomenon": pairs.phenomenon, "digest": pairs.digest}


def _write_metadata(made: Prepared) -> list[str]:
    """What was asked, beside the units; gives what is to be said of the versions of the libraries."""
    asked = {
        "recipe": made.recipe.describe(),
        "model": record(made.model.describe()),
        **({} if made.models is None else {"models": list(map(record, made.models.descriptions))}),
        "tasks": [_identity(pairs) for pairs in made.tasks],
        "units": sum(not unit.scratch for unit in made.plan.units),
        "scratch": [unit.name for unit in made.plan.units if unit.scratch],
    }
    return write_run_metadata(made.folder, made.digest, asked)


def _finish(made: Prepared, progress: Progress) -> Outcome:
    """Gather and draw, beside what an earlier run has drawn: that stays until this is whole."""
    from .files import write_outcome
    from .outcome import Outcome

    try:
        with run_lock(made.folder):
            versions = _write_metadata(made)
            plan = made.plan
            results = plan.results(ResultStore(made.folder, made.digest).read)
            outcome = Outcome(
                version=version("neurosteer"),
                recipe=made.recipe.describe(),
                again=command_of(made.recipe),
                scope=plan.scope,
                results=results,
                verdicts=plan.verdicts(results),
                notices=[*versions, *plan.notices],
            )
            with fresh(made.folder / _DRAFT) as draft:
                write_outcome(outcome, draft, progress)
                shutil.copyfile(made.folder / METADATA, draft / METADATA)
                write_manifest(draft)
                _put_in_place(draft, made.folder)
    except KeyboardInterrupt as stop:
        raise Interrupted(made.folder, len(made.plan.units), len(made.plan.units)) from stop
    return outcome


def _put_in_place(draft: Path, folder: Path) -> None:
    """The manifest, which makes a folder a finished run, goes first and comes back last."""
    files = sorted(draft.iterdir(), key=lambda path: path.name == MANIFEST)
    if all((folder / new.name).is_file() and filecmp.cmp(new, folder / new.name, shallow=False) for new in files):
        (folder / MANIFEST).touch()  # finished again, just now
        return
    (folder / MANIFEST).unlink(missing_ok=True)
    for new in files:
        os.replace(new, folder / new.name)


def command_of(recipe: Recipe) -> str:
    """The command that asks for a recipe again: one that comes with neurosteer with every key that was replaced."""
    try:
        plain = read_recipe(recipe.name)
        same = override(plain, {"experiments": recipe.experiments}).describe()
    except InputError:  # a recipe of the user's own
        return f"neurosteer run {shlex.quote(recipe.name + '.toml')}"
    same |= {"experiments": list(plain.experiments)}
    replaced = {key: value for key, value in recipe.describe().items() if value not in (same.get(key), None)}
    words = ["neurosteer", "run", recipe.name]
    for key, value in replaced.items():
        words += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"]
    return shlex.join(words)
