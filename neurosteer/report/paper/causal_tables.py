"""Tables of causal transfer: means, the families that are tested, neutral text, contrasts and agreement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurosteer.report.numbers import NONE, change, divergence, number, p_value, percent
from neurosteer.vocabulary import FEWEST_PREFERRED

from .table import Table, changed, mean, ranged

Row = Mapping[str, Any]
LISTED = 12  # units that are named
FAMILIES = {
    "own": "own cells, against matched controls",
    "other": "other cells, against matched controls",
    "search": "own cells, against null searches",
}
NEUTRAL = ("kl", "kl_controls_mean", "perplexity_before", "perplexity", "perplexity_controls_mean")
MATCH = ("overlap", "unmatched")


def causal_tables(result: Row) -> list[Table]:
    """Means of the measured cells, families, neutral text, differences of means, and the agreement of matrices."""
    return [_measured(result), _families(result), _neutral(result), _contrasts(result), _agreement(result)]


def _measured(result: Row) -> Table:
    rows = []
    for method in result["methods"]:
        found = result["summary"][method]
        kinds = ("own", "related", "unrelated")
        means = (changed(*(found.get(f"{kind}_{end}") for end in ("delta", "low", "high"))) for kind in kinds)
        rows.append((method, *means, *(_significant(found, kind) for kind in ("own", "other"))))
    headers = ("method", "the task itself", "same phenomenon", "other phenomena", "own q < .05", "other q < .05")
    single = (
        ""
        if result["controls"] >= result["cell_controls"]
        else f"; single cells are descriptive: {result['controls']} controls are too few for verdicts on them "
        f"(--set controls={result['cell_controls']})"
    )
    caption = (
        "Mean change of the margin in measured cells (nats), with 95 % intervals over tasks"
        f"{_lacking(result)}{single}{_massive(result)}"
    )
    return Table(caption, headers, tuple(rows))


def _significant(found: Row, kind: str) -> str:
    stand_out = found[f"significant_{kind}"]
    return NONE if stand_out is None else f"{stand_out} of {found[f'judged_{kind}']}"


def _lacking(result: Row) -> str:
    """The tasks that are in no mean."""
    tasks = result["nothing_to_lose"]
    if not tasks:
        return ""
    return (
        "; nothing to lose, in no mean and no family (the interval of the clean margin does not lie above 0, or "
        f"fewer than {FEWEST_PREFERRED} pairs tell): {', '.join(tasks)}"
    )


def _families(result: Row) -> Table:
    """What was declared before anything was measured, and what came out."""
    rows = tuple(
        (
            row["method"],
            FAMILIES[row["family"]],
            row["verdict"],
            f"{row['cells']:,}",
            _left_out(row),
            *(NONE if row[name] is None else change(row[name]) for name in ("mean", "controls_mean", "beyond")),
            NONE if row["share_lost"] is None else f"{100 * row['share_lost']:.0f}%",
            NONE if row["p"] is None else p_value(row["p"]),
            percent(row["detectable"]),
        )
        for row in result["families"]
    )
    draws = max(row["draws"] for row in result["families"])
    headers = ("method", "family", "verdict", "cells", "left out", "mean", "controls", "beyond", "of the margin", "p")
    search = f", and own cells against {result['null_searches']} null searches a third"
    caption = (
        "Declared before measuring: of each method all own cells are one family and all other cells another"
        f"{search if result['null_searches'] else ''}. Two-sided, without correction from one family to the next: in "
        f"each task one of its sets (the set itself or a control) is drawn, {draws:,} times, and the family's mean "
        "change of the margin (nats) taken again; on other cells one is drawn for all targets of a source. Of the "
        "margin: what is lost beyond the controls, as a share of the clean one; found at: the smallest such loss "
        f"that the test finds with 80 % power{_in_common(result)}{_small_sets(result)}"
    )
    return Table(caption, (*headers, "found at"), rows, left=3)


def _in_common(result: Row) -> str:
    """How far the tasks' sets are from being independent, as the test takes them."""
    found = {method: result["summary"][method] for method in result["methods"]}
    known = {method: row for method, row in found.items() if row["in_common"] is not None}
    if not known:
        return ""
    told = (
        f"{method} {percent(row['in_common'])} (by chance {percent(row['in_common_chance'])})"
        for method, row in known.items()
    )
    return (
        ". The test takes the sets of tasks as independent; of the units of one, another holds on average: "
        + ", ".join(told)
    )


def _small_sets(result: Row) -> str:
    """Where sets or those of null searches hold fewer than k units, and so may not be alike."""
    told = []
    for method in result["methods"]:
        own = [row["units"] for row in result["cells"] if row["method"] == method and row["units"]]
        null = [row["units"] for row in result["null_changes"] if row["method"] == method]
        if own and min(own + null) < result["k"]:
            beside = f", those of its null searches {min(null)} to {max(null)}" if null else ""
            told.append(
                f"; not all sets hold {result['k']} units: those of {method} {min(own)} to {max(own)}{beside}"
            )
    return "".join(told)


def _left_out(row: Row) -> str:
    told = [(row["nothing_to_lose"], "nothing to lose"), (row["empty"], "no units")]
    return ", ".join(f"{count} {why}" for count, why in told if count) or NONE


def _neutral(result: Row) -> Table:
    """The mean over the sources of a method, and each of them."""
    rows = []
    for method in result["methods"]:
        here = [row for row in result["neutral"] if row["method"] == method]
        means = {name: mean([row[name] for row in here]) for name in (*NEUTRAL, *MATCH)}
        for source, values in (("mean", means), *((row["source"], row) for row in here)):
            rows.append(
                (
                    method,
                    source,
                    *(divergence(values[name]) for name in NEUTRAL[:2]),
                    *(number(values[name]) for name in NEUTRAL[2:]),
                    percent(values["overlap"]),
                    number(values["unmatched"]),
                )
            )
    names = ("method", "neurons of", "KL", "controls", "perplexity unedited", "edited", "controls")
    caption = (
        "Neutral text while a set is zero: KL of the unedited model from the edited one (nats per token) and "
        "perplexity, beside the mean of the set's own controls; the share of a set's units that a control holds too, "
        "and how far a control's units are from the set's (standard deviations)"
    )
    return Table(caption, (*names, "shared units", "distance"), tuple(rows), left=2)


def _massive(result: Row) -> str:
    """The massive units, which no set holds."""
    units = result["massive"]
    more = f" and {len(units) - LISTED:,} more" if len(units) > LISTED else ""
    return f"; massive units, in no set: {', '.join(map(str, units[:LISTED]))}{more}" if units else ""


def _contrasts(result: Row) -> Table:
    kinds = ["own", *dict.fromkeys(row["kind"] for row in result["effects"] if " - " in row["kind"])]
    whats = list(dict.fromkeys(row["what"] for row in result["effects"]))
    found = {(row["method"], row["what"], row["kind"]): row for row in result["effects"]}

    def cell(method: str, what: str, kind: str) -> str:
        row = found.get((method, what, kind))
        return changed(row["drop"], row["low"], row["high"]) if row else NONE

    rows = tuple(
        (method, what, *(cell(method, what, kind) for kind in kinds))
        for method in result["methods"]
        for what in whats
    )
    caption = (
        "By how much an ablation lowers a task's own margin, and by how much more than others': mean drops and their "
        "differences (nats), source by source. Beyond controls: less the mean of the set's own; beyond others' "
        "controls: less the mean of other sources' controls on the same target, which is descriptive"
    )
    return Table(caption, ("method", "drops", *(kind.replace(" - ", " − ") for kind in kinds)), rows, left=2)  # noqa: RUF001


def _agreement(result: Row) -> Table:
    whats = list(dict.fromkeys(row["what"] for row in result["agreement"]))
    found = {(row["method"], row["what"]): row for row in result["agreement"]}
    rows = tuple((what, *(_correlation(found.get((method, what))) for method in result["methods"])) for what in whats)
    caption = "Spearman over cells of two different tasks, with 95 % intervals over tasks (cells)"
    return Table(caption, ("matrices", *result["methods"]), rows)


def _correlation(row: Row | None) -> str:
    if row is None or row["spearman"] is None:
        return NONE
    return f"{ranged(row['spearman'], row['low'], row['high'])} ({row['cells']:,})"
