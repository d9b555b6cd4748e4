"""The tables of several models, and their CSV files."""

from __future__ import annotations

from collections.abc import Mapping

from neurosteer.experiments.experiment import Rows
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, number, p_value, percent
from neurosteer.report.table import Table, changed, ranged
from neurosteer.results import Estimate

from .result import ModelRow, Models, TaskInModel

SHOWN = 60  # rows of a table


def csvs(result: Models) -> Mapping[str, Rows]:
    return {"": result.rows, "means": result.means, "kept": result.kept, "about": result.models}


def tables(result: Models, scope: Scope) -> list[Table]:
    return [_by_model(result), _by_task(result), _kept(result)]


def size_in_words(parameters: int) -> str:
    """`135M`, `1.2B`, `13k` parameters."""
    for unit, name in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if parameters >= unit:
            return f"{parameters / unit:.3g}{name}"
    return str(parameters)


def shares(one: Estimate) -> str:
    """A share of the margin: `42% [10%, 71%]`."""
    ends = "" if one.low is None or one.high is None else f" [{_share(one.low)}, {_share(one.high)}]"
    return f"{_share(one.value)}{ends}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.0f}%"


def _by_model(result: Models) -> Table:
    about = {one.model: one for one in result.models}
    return Table.of(
        "Means over tasks at the best layer of each, chosen on validation pairs; margin, in nats, and the share "
        "of it lost without the top k by attribution, over tasks with a clean preference",
        result.means,
        [
            ("model", lambda row: row.model),
            ("step", lambda row: _step(about[row.model])),
            ("parameters", lambda row: size_in_words(about[row.model].parameters)),
            ("k", lambda row: f"{about[row.model].k:,}"),
            ("dense", lambda row: ranged(row.dense)),
            ("top k", lambda row: ranged(row.topk)),
            ("baseline", lambda row: number(row.known.value)),
            ("encoded in", lambda row: f"{row.encoded} of {row.tasks}"),
            ("margin", lambda row: changed(row.margin)),
            ("lost", lambda row: shares(row.lost)),
            ("controls", lambda row: percent(row.control)),
            ("used in", lambda row: f"{row.used} of {row.decided}"),
            ("cannot tell", lambda row: f"{row.tasks - row.decided}"),
        ],
    )


def _step(model: ModelRow) -> str:
    return NONE if model.step is None else f"{model.step:,}"


def _by_task(result: Models) -> Table:
    def yes(row: TaskInModel) -> str:
        return f"cannot tell: {row.why}" if row.used is None else ("yes" if row.used else "no")

    shown = result.rows[:SHOWN]
    more = f" ({SHOWN} of {len(result.rows)} rows; all in the CSV)" if len(shown) < len(result.rows) else ""
    return Table.of(
        f"Each task in each model, with 95 % intervals over its test pairs{more}",
        shown,
        [
            ("model", lambda row: row.model),
            ("task", lambda row: row.task),
            ("layer", lambda row: str(row.encoded_layer)),
            ("dense", lambda row: ranged(row.dense)),
            ("top k", lambda row: ranged(row.topk)),
            ("baseline", lambda row: f"{number(row.known.value)} {row.baseline}"),
            ("encoded", lambda row: "yes" if row.encoded else "no"),
            ("ablated at", lambda row: str(row.used_layer)),
            ("margin", lambda row: changed(row.margin)),
            ("lost", lambda row: shares(row.lost)),
            ("controls", lambda row: percent(row.control)),
            ("p", lambda row: p_value(row.p)),
            ("used", yes),
        ],
        left=2,
    )


def _kept(result: Models) -> Table:
    return Table.of(
        "Overlap of the top k of two models in a row, of the units of either: at the layer that is best in the later "
        "one, and over all layers; mean over tasks",
        result.kept_means,
        [
            ("from", lambda row: row.earlier),
            ("to", lambda row: row.later),
            ("ranking", lambda row: row.method),
            ("best layer", lambda row: ranged(row.overlap)),
            ("all layers", lambda row: ranged(row.all_layers)),
            ("by chance", lambda row: number(row.chance, 3)),
            ("beyond chance in", lambda row: f"{row.beyond} of {row.tasks}"),
        ],
        left=3,
    )
