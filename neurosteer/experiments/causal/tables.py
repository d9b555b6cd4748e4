"""Tables of causal transfer: means, the families that are tested, neutral text, contrasts and agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, change, divergence, number, p_value, percent
from neurosteer.report.table import Table, changed, mean, ranged
from neurosteer.vocabulary import FEWEST_PREFERRED, Method

from .result import (
    CONTRASTS,
    Agreement,
    CausalTransfer,
    Compared,
    Contrast,
    Family,
    FamilyName,
    Kind,
    NeutralText,
    Quantity,
)

LISTED = 12  # units that are named
FAMILIES: Mapping[FamilyName, str] = {
    "own": "own cells, against matched controls",
    "other": "other cells, against matched controls",
    "search": "own cells, against null searches",
}
SHOWN: tuple[Kind, ...] = ("own", "related", "unrelated")


def tables(result: CausalTransfer, _: Scope) -> list[Table]:
    """Means of the measured cells, families, neutral text, differences of means, and the agreement of matrices."""
    return [_measured(result), _families(result), _neutral(result), _contrasts(result), _agreement(result)]


def _measured(result: CausalTransfer) -> Table:
    means = result.mean_drops("measured")
    rows = tuple(
        (
            method,
            *(changed(means[method, kind].change) for kind in SHOWN),
            *(result.summary[method].stand_out(kind) or NONE for kind in ("own", "other")),
        )
        for method in result.methods
    )
    headers = ("method", "the task itself", "same phenomenon", "other phenomena", "own q < .05", "other q < .05")
    single = (
        ""
        if result.controls >= result.cell_controls
        else f"; single cells are descriptive: {result.controls} controls are too few for verdicts on them "
        f"(--set controls={result.cell_controls})"
    )
    caption = (
        "Mean change of the margin in measured cells (nats), with 95 % intervals over tasks"
        f"{_nothing_to_lose(result)}{single}{_massive(result)}"
    )
    return Table(caption, headers, rows)


def _nothing_to_lose(result: CausalTransfer) -> str:
    """The tasks that are in no mean."""
    tasks = result.nothing_to_lose
    if not tasks:
        return ""
    return (
        "; nothing to lose, in no mean and no family (the interval of the clean margin does not lie above 0, or "
        f"fewer than {FEWEST_PREFERRED} pairs tell): {', '.join(tasks)}"
    )


def _massive(result: CausalTransfer) -> str:
    """The massive units, which are in no set."""
    units = result.massive
    more = f" and {len(units) - LISTED:,} more" if len(units) > LISTED else ""
    return f"; massive units, in no set: {', '.join(map(str, units[:LISTED]))}{more}" if units else ""


def _families(result: CausalTransfer) -> Table:
    """What was declared before anything was measured, and what came out."""
    rows = tuple(
        (
            row.method,
            FAMILIES[row.family],
            row.verdict,
            f"{row.cells:,}",
            _left_out(row),
            *(NONE if value is None else change(value) for value in (row.mean, row.controls_mean, row.beyond)),
            NONE if row.share_lost is None else f"{100 * row.share_lost:.0f}%",
            NONE if row.p is None else p_value(row.p),
            percent(row.detectable),
        )
        for row in result.families
    )
    draws = max(row.draws for row in result.families)
    headers = ("method", "family", "verdict", "cells", "left out", "mean", "controls", "beyond", "of the margin", "p")
    search = f", and own cells against {result.null_searches} null searches a third"
    caption = (
        "Declared before measuring: of each method all own cells are one family and all other cells another"
        f"{search if result.null_searches else ''}. Two-sided, without correction from one family to the next: in "
        f"each task one of its sets (the set itself or a control) is drawn, {draws:,} times, and the family's mean "
        "change of the margin (nats) taken again; on other cells one is drawn for all targets of a source. Of the "
        "margin: what is lost beyond the controls, as a share of the clean one; found at: the smallest such loss "
        f"that the test finds with 80 % power{_in_common(result)}{_small_sets(result)}"
    )
    return Table(caption, (*headers, "found at"), rows, left=3)


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
    rows = []
    for method in result.methods:
        here = [row for row in result.neutral if row.method == method]
        columns = zip(*(_neutral_numbers(row) for row in here), strict=True)
        rows.append((method, "mean", *_neutral_cells([mean(column) for column in columns])))
        rows += [(method, row.source, *_neutral_cells(_neutral_numbers(row))) for row in here]
    names = ("method", "neurons of", "KL", "controls", "perplexity unedited", "edited", "controls")
    caption = (
        "Neutral text while a set is zero: KL of the unedited model from the edited one (nats per token) and "
        "perplexity, beside the mean of the set's own controls; the share of a set's units that a control holds too, "
        "and how far a control's units are from the set's (standard deviations)"
    )
    return Table(caption, (*names, "shared units", "distance"), tuple(rows), left=2)


def _neutral_numbers(row: NeutralText) -> tuple[float | None, ...]:
    perplexities = (row.perplexity_before, row.perplexity, row.perplexity_controls_mean)
    return (row.kl, row.kl_controls_mean, *perplexities, row.overlap, row.unmatched)


def _neutral_cells(numbers: Sequence[float | None]) -> tuple[str, ...]:
    kl, kl_controls, *perplexities, overlap, unmatched = numbers
    written = (number(perplexity) for perplexity in perplexities)
    return (divergence(kl), divergence(kl_controls), *written, percent(overlap), number(unmatched))


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
    found: dict[tuple[Method, Compared], Agreement] = {(row.method, row.what): row for row in result.agreement}
    rows = tuple((what, *(_correlation(found[method, what]) for method in result.methods)) for what in compared)
    caption = "Spearman over cells of two different tasks, with 95 % intervals over tasks (cells)"
    return Table(caption, ("matrices", *result.methods), rows)


def _correlation(row: Agreement) -> str:
    return NONE if row.spearman is None else f"{ranged(row.estimate)} ({row.cells:,})"
