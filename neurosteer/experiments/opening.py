"""`open_run`: what was done before, as the objects that its command made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

from neurosteer.arguments import a
from neurosteer.errors import InputError, one_line
from neurosteer.results import read_record
from neurosteer.results.run import RunListing, RunRecord
from neurosteer.results.score import ScoreRun
from neurosteer.store import expanded
from neurosteer.studies.runs import RESULTS, read_run

from .recipe_run import RecipeRun

if TYPE_CHECKING:
    from neurosteer.studies import Effect, Found
    from neurosteer.studies.evidence import Evidence

    R = TypeVar("R", Found, Effect, Evidence)
    W = TypeVar("W", ScoreRun, RecipeRun)
Run: TypeAlias = str | os.PathLike[str] | RunListing
Opened: TypeAlias = "list[Found] | list[Effect] | list[Evidence] | ScoreRun | RecipeRun"


@overload
def open_run(folder: Run, kind: type[R]) -> list[R]: ...


@overload
def open_run(folder: Run, kind: type[W]) -> W: ...


@overload
def open_run(folder: Run, kind: None = None) -> Any: ...


def open_run(folder: Run, kind: type | None = None) -> Any:
    """Read what a finished run has found. No model is needed.

    Args:
        folder: the run folder; or a row of `runs()`.
        kind: what you expect there, such as `ns.Effect`; editors and type checkers then know it too. Without it they
            cannot: it depends on what is in the folder.

    Returns:
        For `find` a `Found` per task; for `ablate` and `amplify` an `Effect`, and for `evidence` an `Evidence`, per
        method; for `score` the scores of all tasks; for `run` a `RecipeRun`.

    Raises:
        InputError: for a folder without a run, for runs of other commands, and for a run that is not of the `kind`.

    Example:
        >>> path = effect.save("runs/mine")
        >>> ns.open_run("runs/mine", ns.Effect)[0].verdict
        'stands out'
    """
    place = _folder_of(folder)
    found = _opened(place)
    if kind is not None:
        _check_kind(place, found, kind)
    return found


def _folder_of(run: object) -> Path:
    if isinstance(run, RunListing):
        return Path(run.path)
    if not isinstance(run, str | os.PathLike):
        raise InputError(f"a run is named by its folder or by a row of ns.runs(), not by {a(run)}")
    return expanded(run)


def _check_kind(place: Path, found: Opened, kind: type) -> None:
    """Raise `InputError` where a run is none of those expected."""
    there = {type(one).__name__ for one in found} if isinstance(found, list) else {type(found).__name__}
    if there - {kind.__name__}:
        raise InputError(f"{place} holds {', '.join(sorted(there))}, not {kind.__name__}")


def _opened(place: Path) -> Opened:
    known, why = None, ""
    try:
        run = read_run(place)
        known = read_record(RunRecord, run) if isinstance(run, dict) else None
    except OSError as error:
        raise InputError(f"no run in '{place}': {error.strerror}") from None
    except ValueError as error:
        why = f" ({one_line(error)})"
    if known is None:
        raise InputError(f"{place / RESULTS} is not the result of a run{why}")
    if known.command in ("ablate", "amplify"):
        from neurosteer.studies.effects.effect import load_effects

        return load_effects(place)
    if known.command == "evidence":
        from neurosteer.studies.evidence.result import load_evidence

        return load_evidence(place)
    if known.command == "find":
        from neurosteer.studies import Found

        return [Found.load(place, task) for task in dict.fromkeys(entry.get("task") for entry in known.results)]
    try:
        if known.command == "score":
            return read_record(ScoreRun, run)
        if known.command == "run":
            from .outcome import Outcome

            return RecipeRun(place, Outcome.from_dict(run).with_tasks(place), computed=0)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{place / RESULTS} is not the result of `neurosteer {known.command}`: {error}") from None
    raise InputError(f"{place / RESULTS} is of a command that is not known here: '{known.command}'")
