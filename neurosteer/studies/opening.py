"""`open_run`: what was done before, as the objects that its command made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.errors import InputError
from neurosteer.results import Json, read_record
from neurosteer.results.score import ScoreRun

from .runs import RESULTS, read_run

if TYPE_CHECKING:
    from .effects import Effect
    from .finding import Found


def open_run(folder: str | Path) -> list[Found] | list[Effect] | ScoreRun:
    """What a finished run has found.

    Of `find` one result per task, of `ablate` and `amplify` the effects, one per method, of `score` the scores.

    Needs no model. Raises `InputError` for a folder without a run, and for runs of other commands.

        effects = ns.open_run(ns.runs()[0].path)
        effects[0].controls.p
    """
    place = Path(folder)
    try:
        run = read_run(place)
        command, tasks = run["command"], list(dict.fromkeys(entry.get("task") for entry in run["results"]))
    except OSError as error:
        raise InputError(f"no run in '{folder}': {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{place / RESULTS} is not the result of a run") from None
    if command in ("ablate", "amplify"):
        from .effects.effect import load_effects

        return load_effects(place)
    if command == "find":
        from .finding import Found

        return [Found.load(place, task) for task in tasks]
    if command == "score":
        return _scores(place, run)
    raise InputError(f"a run of '{command}' is not opened here; its numbers are in {place / RESULTS}")


def _scores(folder: Path, run: dict[str, Json]) -> ScoreRun:
    try:
        return read_record(ScoreRun, run)
    except ValueError as error:
        raise InputError(f"{folder / RESULTS} is not the result of `neurosteer score`: {error}") from None
