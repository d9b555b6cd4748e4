"""`run_recipe`: a whole experiment, from its recipe to its figures; what is done is not done again."""

from __future__ import annotations

import filecmp
import json
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError
from neurosteer.pairs import Pairs, load_tasks
from neurosteer.progress import AUTO, Progress
from neurosteer.runner.execution import Interrupted, Ran, run_units
from neurosteer.runner.recipe import Recipe, override, read_recipe
from neurosteer.runner.result_store import ResultStore
from neurosteer.runner.run_lock import run_lock
from neurosteer.runner.run_metadata import METADATA, write_run_metadata
from neurosteer.runner.shard import Shard
from neurosteer.runner.units import UNIT_FORMAT
from neurosteer.store import MANIFEST, digest_of, file_stem, fresh, write_manifest
from neurosteer.vocabulary import Json

from .registry import check_names

if TYPE_CHECKING:
    from neurosteer.model import Model

    from .outcome import Outcome
    from .plan import Plan

_DRAFT = ".draft"
_ELSEWHERE = {  # keys of a recipe that the model and the pairs themselves stand for, and those that change no unit
    *("model", "revision", "device", "dtype", "device_map", "bos", "eos"),
    *("data", "tasks", "columns", "layout", "limit"),
    *("format", "name", "title", "measured", "seeds"),
}


@dataclass(frozen=True)
class RecipeRun:
    """A run's folder, and its outcome; None while units wait for other shards."""

    folder: Path
    outcome: Outcome | None
    computed: int  # units that were computed just now
    waiting: int = 0  # units that are not done
    deferred: int = 0  # of these, the shard's own: the same call computes them when other shards are done

    @property
    def results(self) -> Path:
        """The outcome as JSON, without the tables that are CSV files beside it."""
        return self.folder / "results.json"

    @property
    def page(self) -> Path:
        """Tables, figures and verdicts on one page."""
        return self.folder / "index.html"

    @property
    def figures(self) -> list[Path]:
        """The figures, as PNG."""
        return sorted(self.folder.glob("*.png"))


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything that is known before the first unit runs."""

    recipe: Recipe
    model: Model
    tasks: Sequence[Pairs]
    plan: Plan
    folder: Path
    digest: str


def run_recipe(
    recipe: str | os.PathLike[str] | Recipe,
    *,
    out: str | os.PathLike[str] = "runs",
    shard: str | Shard | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
    **overrides: Any,
) -> RecipeRun:
    """Run a recipe: one of those that come with neurosteer by its name, or a TOML file.

    `overrides` replace the recipe's keys (`lam` stands for `lambda`): `run_recipe("fig5", tasks="intransitive",
    limit=200)`. Finished units are kept in a folder below `out` named by recipe, model and a digest of what was
    asked; a run that was stopped goes on from there, and one that is finished is only drawn again. `shard="2/4"`
    computes the second of four parts, which may all run at once. A shard whose units need those of others looks again
    before it ends, and computes what others have made possible meanwhile; where some still wait (`deferred`), the
    same call computes them when the others are done. When all are, a run without `shard` computes what joins them.
    """
    part = Shard.parse(shard) if isinstance(shard, str) else shard
    asked = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    asked = override(asked, {"lambda" if key == "lam" else key: value for key, value in overrides.items()})
    made = prepare(asked, out=Path(out), offline=offline, progress=progress)

    def begin() -> None:
        for notice in _write_metadata(made):
            progress.notice(notice)

    ran = run_units(made.plan.units, made.folder, made.digest, shard=part, begin=begin, progress=progress)
    if ran.waiting:
        _tell_waiting(ran, part, progress)
        return RecipeRun(made.folder, None, len(ran.computed), len(ran.waiting), len(ran.deferred))
    return RecipeRun(made.folder, _finish(made, ran, progress), len(ran.computed))


def prepare(recipe: Recipe, *, out: Path, offline: bool, progress: Progress) -> Prepared:
    """Load pairs and model, and plan the units. Writes nothing."""
    check_names(recipe.experiments)  # a mistyped one is noticed before anything is loaded
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

    from neurosteer.model import load_model

    from .plan import plan_recipe

    model = load_model(
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
    plan = plan_recipe(recipe, model, tasks, progress)
    digest = digest_of([UNIT_FORMAT, model.describe(), [_identity(pairs) for pairs in tasks], _settings(recipe)])
    name = f"run-{file_stem(recipe.name)}-{file_stem(Path(model.name).name)}-{digest[:8]}"
    return Prepared(recipe, model, tasks, plan, out / name, digest)


def _settings(recipe: Recipe) -> dict[str, Json]:
    """What decides the units beside model and pairs.

    Keys at their default are left out, so that runs outlive keys that are added to recipes; a change of a default
    has to raise `UNIT_FORMAT`.
    """
    plain = Recipe(recipe.name).describe()
    return {key: value for key, value in recipe.describe().items() if key not in _ELSEWHERE and value != plain[key]}


def _identity(pairs: Pairs) -> dict[str, Json]:
    return {"task": pairs.task, "phenomenon": pairs.phenomenon, "digest": pairs.digest}


def _write_metadata(made: Prepared) -> list[str]:
    """What was asked, beside the units; gives what is to be said of the versions of the libraries."""
    asked = {
        "recipe": made.recipe.describe(),
        "model": made.model.describe(),
        "tasks": [_identity(pairs) for pairs in made.tasks],
    }
    return write_run_metadata(made.folder, made.digest, asked)


def _tell_waiting(ran: Ran, shard: Shard | None, progress: Progress) -> None:
    """What a shard leaves, and the command that goes on with it."""
    if ran.deferred:
        progress.notice(
            f"units of this shard that wait for other shards: {len(ran.deferred)}; when those are done, "
            f"give the same command with --shard {shard} again"
        )
    progress.notice(
        f"units left to other shards and the run that joins them: {len(ran.waiting) - len(ran.deferred)}; "
        "when all are done, the same command without --shard finishes the run"
    )


def _finish(made: Prepared, ran: Ran, progress: Progress) -> Outcome:
    """Gather and draw, beside what an earlier run has drawn: that stays until this is whole."""
    from .outcome import Outcome, write_outcome

    try:
        with run_lock(made.folder, wait=True):
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
        raise Interrupted(made.folder, ran.done, ran.done) from stop
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
        plain = read_recipe(recipe.name).describe()
    except InputError:  # a recipe of the user's own
        return f"neurosteer run {shlex.quote(recipe.name + '.toml')}"
    replaced = {key: value for key, value in recipe.describe().items() if value not in (plain[key], None)}
    words = ["neurosteer", "run", recipe.name]
    for key, value in replaced.items():
        words += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"]
    return shlex.join(words)
