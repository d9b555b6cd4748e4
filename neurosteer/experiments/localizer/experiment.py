"""Localizer: the protocol of the field's language localisers, with the controls that it lacks.

One part of a task's pairs localises: the 1 % of all units of all layers whose size is larger on good sentences, by
Welch's t at the last token. Another part evaluates: these units are set to zero, and the pairs are scored by the
mean log probability per token. Beside them stand sets drawn uniformly from all other units, as in the protocol, and
matched sets, as everywhere here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.experiments.experiment import Drawing, Experiment
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import number
from neurosteer.report.table import Table

from .charts import charts
from .figures import caption, draw
from .result import Localised, Localizer, compute
from .units import check, task_units

SETS = ("before", "after", "uniform", "matched")


def csvs(result: Localizer) -> Mapping[str, Sequence[object]]:
    def flat(row: Localised) -> dict[str, object]:
        own = {name: value for name, value in vars(row).items() if name not in ("uniform", "matched")}
        sets = {"uniform": row.uniform, "matched": row.matched}
        return own | {f"{of}_{name}": value for of, one in sets.items() for name, value in vars(one).items()}

    return {"": [flat(row) for row in result.rows]}


def tables(result: Localizer, scope: Scope) -> list[Table]:
    """Each task, and the mean over tasks."""
    rows = [
        (
            row.task,
            f"{row.units:,}",
            number(row.before),
            number(row.after),
            f"{number(row.uniform.mean)} {number(row.uniform.low)}–{number(row.uniform.high)}",  # noqa: RUF001
            f"{number(row.matched.mean)} {number(row.matched.low)}–{number(row.matched.high)}",  # noqa: RUF001
            number(row.matched.p),
        )
        for row in result.rows
    ]
    if len(rows) > 1:
        means = [number(getattr(result, name).value) for name in SETS]
        rows.append(("mean over tasks", "", means[0], means[1], means[2], means[3], ""))
    headers = ("task", "units", "before", "after", "uniform: mean, range", "matched: mean, range", "p")
    caption = (
        f"Accuracy on pairs {result.evaluate} before and after the units that pairs {result.localise} localise are "
        "set to zero; under uniform and matched sets of as many units; p beside the matched ones, by the mean margin"
    )
    return [Table(caption, headers, tuple(rows), left=1)]


EXPERIMENT = Experiment(
    "Localizer: the protocol of language localisers",
    Localizer,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    task_units=task_units,
    check=check,
)
