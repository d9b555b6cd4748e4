"""The figures of a finished run as PDF, on request: drawn again from what the run has kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.report import save_pdf
from neurosteer.report.pages import PAGE
from neurosteer.store import file_stem, renewing
from neurosteer.studies import Effect, Found
from neurosteer.studies.effects.effect import effect_stem
from neurosteer.studies.evidence import Evidence
from neurosteer.studies.runs import refuse_unfinished

from .opening import open_run
from .recipe_run import RecipeRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_pdfs(folder: Path) -> list[Path]:
    """Write each figure of a finished run beside its PNG, and return where.

    Raises as `open_run` does, and `CorruptFileError` where other files than these and the page are damaged.
    """
    figures = {folder / f"{name}.pdf": draw for name, draw in _figures(folder)}
    refuse_unfinished(folder, but=[PAGE, *(path.name for path in figures)])
    with renewing(folder, [path.name for path in figures]):
        for path, draw in figures.items():
            save_pdf(draw(), path)
    return list(figures)


def _figures(folder: Path) -> Iterator[tuple[str, Callable[[], Figure]]]:
    from neurosteer.report import dose_figure, effect_figure, evidence_figure, find_figure

    opened = open_run(folder)
    if isinstance(opened, RecipeRun):
        yield from opened.outcome.drawings() if opened.outcome else ()
    elif isinstance(opened, list):
        effects = [one for one in opened if isinstance(one, Effect)]
        evidence = [one for one in opened if isinstance(one, Evidence)]
        for found in opened:
            if isinstance(found, Found):
                yield file_stem(found.task), partial(find_figure, found.result)
        for effect in effects:
            if len(effect.by_scale) > 1:
                yield f"{effect_stem(effect)}.doses", partial(dose_figure, effect)
        if effects:
            yield file_stem(effects[0].task), partial(effect_figure, effects)
        if evidence:
            yield file_stem(evidence[0].task), partial(evidence_figure, evidence)
