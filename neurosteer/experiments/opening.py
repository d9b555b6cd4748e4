"""`open_run`: what was done before, as the objects that its command made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.errors import InputError
from neurosteer.results import read_record
from neurosteer.results.score import ScoreRun
from neurosteer.studies.runs import RESULTS, read_run

from .run import RecipeRun

if TYPE_CHECKING:
    from neurosteer.studies import Effect, Found
    from neurosteer.studies.evidence import Evidence


def open_run(folder: str | Path) -> list[Found] | list[Effect] | list[Evidence] | ScoreRun | RecipeRun:
    """Read what a finished run has found. No model is needed.

    Args:
        folder: the run folder; `runs` lists them.

    Returns:
        For `find` a `Found` per task; for `ablate` and `amplify` an `Effect`, and for `evidence` an `Evidence`, per
        method; for `score` the scores of all tasks; for `run` a `RecipeRun`.

    Raises:
        InputError: for a folder without a run, and for runs of other commands.

    Example:
        >>> effect.save("runs/mine")
        >>> ns.open_run("runs/mine")[0].verdict
        'stands out'
    """
    place = Path(folder)
    try:
        run = read_run(place)
        command, entries = run["command"], list(run["results"])
    except OSError as error:
        raise InputError(f"no run in '{folder}': {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{place / RESULTS} is not the result of a run") from None
    if command in ("ablate", "amplify"):
        from neurosteer.studies.effects.effect import load_effects

        return load_effects(place)
    if command == "evidence":
        from neurosteer.studies.evidence.result import load_evidence

        return load_evidence(place)
    if command == "find":
        from neurosteer.studies import Found

        return [Found.load(place, task) for task in dict.fromkeys(entry.get("task") for entry in entries)]
    try:
        if command == "score":
            return read_record(ScoreRun, run)
        if command == "run":
            from .outcome import Outcome

            return RecipeRun(place, Outcome.from_dict(run), computed=0)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{place / RESULTS} is not the result of `neurosteer {command}`: {error}") from None
    raise InputError(f"{place / RESULTS} is of a command that is not known here: '{command}'")
