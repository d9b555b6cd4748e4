"""Tables of causal transfer: means, the families that are tested, neutral text, contrasts and agreement."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, change, divergence, number, p_value, percent
from neurosteer.report.table import Table, changed, mean, ranged
from neurosteer.vocabulary import FEWEST_PREFERRED, CausalMethod

from .result import (
    CONTRASTS,
    CausalTransfer,
    Compared,
    Contrast,
    Family,
    FamilyName,
    Kind,
    NeutralRow,
    Quantity,
)

LISTED = 12  # units that are named
FAMILIES: Mapping[FamilyName, str] = {
    "own": "own cells, against matched controls",
    "other": "other cells, against matched controls",
    "search": "own cells, against null searches",
}


def tables(result: CausalTransfer, _: Scope) -> list[Table]:
    """Means of the measured cells, families, neutral text, differences of means, and the agreement of matrices."""
    return [_measured(result), _families(result), _neutral(result), _contrasts(result), _agreement(result)]


def _measured(result: CausalTransfer) -> Table:
    means = result.mean_drops("measured")
    columns: list[tuple[str, Callable[[CausalMethod], str]]] = [
        ("method", str),
        ("the task itself", lambda method: changed(means[method, "own"].change)),
        ("same phenomenon", lambda method: changed(means[method, "related"].change)),
        ("other phenomena", lambda method: changed(means[method, "unrelated"].change)),
        ("own q < .05", lambda method: result.summary[method].stand_out("own") or NONE),
        ("other q < .05", lambda method: result.summary[method].stand_out("other") or NONE),
    ]
    units = ", ".join(map(str, result.massive[:LISTED]))
    more = f" and {len(result.massive) - LISTED:,} more" if len(result.massive) > LISTED else ""
    massive = f"; massive units, in no set: {units}{more}" if units else ""
    single = (
        ""
        if result.controls >= result.cell_controls
        else f"; single cells are descriptive: {result.controls} controls are too few for verdicts on them "
        f"(--set controls={result.cell_controls})"
    )
    caption = (
        "Mean change of the margin in measured cells (nats), with 95 % intervals over tasks"
        f"{_nothing_to_lose(result)}{single}{massive}"
    )
    return Table.of(caption, result.methods, columns)


def _nothing_to_lose(result: CausalTransfer) -> str:
    """The tasks that are in no mean."""
    tasks = result.nothing_to_lose
    if not tasks:
        return ""
    return (
        "; nothing to lose, in no mean and no family (the interval of the clean margin does not lie above 0, or "
        f"fewer than {FEWEST_PREFERRED} pairs tell): {', '.join(tasks)}"
    )


def _families(result: CausalTransfer) -> Table:
    """What was declared before anything was measured, and what came out."""
    columns: list[tuple[str, Callable[[Family], str]]] = [
        ("method", lambda row: row.method),
        ("family", lambda row: FAMILIES[row.family]),
        ("verdict", lambda row: row.verdict),
        ("cells", lambda row: f"{row.cells:,}"),
        ("left out", _left_out),
        ("mean", lambda row: change(row.mean)),
        ("controls", lambda row: change(row.controls_mean)),
        ("beyond", lambda row: change(row.beyond)),
        ("of the margin", lambda row: NONE if row.share_lost is None else f"{100 * row.share_lost:.0f}%"),
        ("p", lambda row: p_value(row.p)),
        ("found at", lambda row: percent(row.detectable)),
    ]
    draws = max(row.draws for row in result.families)
    search = f", and own cells against {result.null_searches} null searches a third"
    caption = (
        "Declared before measuring: of each method all own cells are one family and all other cells another"
        f"{search if result.null_searches else ''}. Two-sided, without correction from one family to the next: in "
        f"each task one of its sets (the set itself or a control) is drawn, {draws:,} times, and the family's mean "
        "change of the margin (nats) taken again; on other cells one is drawn for all targets of a source. Of the "
        "margin: what is lost beyond the controls, as a share of the clean one; found at: the smallest such loss "
        f"that the test finds with 80 % power{_in_common(result)}{_small_sets(result)}"
    )
    return Table.of(caption, result.families, columns, left=3)


def _left_out(row: Family) -> str:
    counts = [(row.nothing_to_lose, "nothing to lose"), (row.empty, "no units")]
    return ", ".join(f"{count} {why}" for count, why in counts if count) or NONE


def _in_common(result: CausalTransfer) -> str:
    """How far the tasks' sets are from being independent, as the test takes them."""
    known = {method: row for method, row in result.summary.items() if row.in_common is not None}
    if not known:
        return ""
    shares = (
        f"{method} {percent(row.in_common)} (by chance {percent(row.in_common_chance)})"
        for method, row in known.items()
    )
    return (
        ". The test takes the sets of tasks as independent; of the units of one, another holds on average: "
        + ", ".join(shares)
    )


def _small_sets(result: CausalTransfer) -> str:
    """Where sets or those of null searches have fewer than k units, and so may not be alike."""
    found = []
    for method in result.methods:
        own = [cell.units for cell in result.cells_of(method) if cell.units]
        null = [row.units for row in result.null_changes if row.method == method]
        if own and min(own + null) < result.k:
            beside = f", those of its null searches {min(null)} to {max(null)}" if null else ""
            found.append(f"; not all sets hold {result.k} units: those of {method} {min(own)} to {max(own)}{beside}")
    return "".join(found)


def _neutral(result: CausalTransfer) -> Table:
    """The mean over the sources of a method, and each of them."""
    columns: list[tuple[str, Callable[[float | None], str], Callable[[NeutralRow], float | None]]] = [
        ("KL", divergence, lambda row: row.kl),
        ("controls", divergence, lambda row: row.kl_controls_mean),
        ("perplexity unedited", number, lambda row: row.perplexity_before),
        ("edited", number, lambda row: row.perplexity),
        ("controls", number, lambda row: row.perplexity_controls_mean),
        ("shared units", percent, lambda row: row.overlap),
        ("distance", number, lambda row: row.unmatched),
    ]
    rows = []
    for method in result.methods:
        here = [row for row in result.neutral if row.method == method]
        rows.append((method, "mean", *(text(mean([of(row) for row in here])) for _, text, of in columns)))
        rows += [(method, row.source, *(text(of(row)) for _, text, of in columns)) for row in here]
    heads = ("method", "neurons of", *(head for head, _, _ in columns))
    caption = (
        "Neutral text while a set is zero: KL of the unedited model from the edited one (nats per token) and "
        "perplexity, beside the mean of the set's own controls; the share of a set's units that a control holds too, "
        "and how far a control's units are from the set's (standard deviations)"
    )
    return Table(caption, heads, tuple(rows), left=2)


def _contrasts(result: CausalTransfer) -> Table:
    kinds: tuple[Kind | Contrast, ...] = ("own", *CONTRASTS)
    whats: list[Quantity] = list(dict.fromkeys(row.what for row in result.effects))
    rows = tuple(
        (method, what, *(changed(result.mean_drops(what)[method, kind].estimate) for kind in kinds))
        for method in result.methods
        for what in whats
    )
    caption = (
        "By how much an ablation lowers a task's own margin, and by how much more than others': mean drops and their "
        "differences (nats), source by source. Beyond controls: less the mean of the set's own; beyond others' "
        "controls: less the mean of other sources' controls on the same target, which is descriptive"
    )
    return Table(caption, ("method", "drops", *(kind.replace(" - ", " − ") for kind in kinds)), rows, left=2)  # noqa: RUF001


def _agreement(result: CausalTransfer) -> Table:
    compared: list[Compared] = list(dict.fromkeys(row.what for row in result.agreement))
    found: dict[tuple[CausalMethod, Compared], str] = {
        (row.method, row.what): NONE if row.spearman is None else f"{ranged(row.estimate)} ({row.cells:,})"
        for row in result.agreement
    }
    rows = tuple((what, *(found[method, what] for method in result.methods)) for what in compared)
    caption = "Spearman over cells of two different tasks, with 95 % intervals over tasks (cells)"
    return Table(caption, ("matrices", *result.methods), rows)
