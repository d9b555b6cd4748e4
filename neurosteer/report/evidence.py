"""What `neurosteer evidence` prints and writes: six answers, the curve, what happens elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.results import Json, record
from neurosteer.results.evidence import Answer, EvidenceResult
from neurosteer.vocabulary import counted, counted_pairs

from .edit_labels import in_layers
from .export import rows_csv
from .grid import add_row, grid
from .numbers import NONE, divergence, nats, number, p_value

HOLDS = {True: "yes", False: "no", None: "?"}


def evidence_table(found: EvidenceResult) -> RenderableType:
    """The answers about one neuron set as something rich can print; it fits a terminal of 80 columns."""
    table = grid("question", "value, 95 % interval", "controls:\nmean, range", "p", "q", "holds")
    for question, answer in found.tests.items():
        style = "bold" if answer.holds else "dim" if answer.holds is None else ""
        cells = [_value(answer), _spread(answer.controls), p_value(answer.p), p_value(answer.q), HOLDS[answer.holds]]
        add_row(table, question, *cells, style=style)
    parts: list[RenderableType] = [_heading(found), table, *_curve(found), *_notes(found)]
    for question, answer in found.tests.items():
        parts.append(Text.assemble((question, "bold"), f": {answer.sentence}"))
    return Group(*parts, Text(), Text(found.verdict, style="bold"), Text())


def _heading(found: EvidenceResult) -> Text:
    data = found.data
    split = f", {data.split.kind} split" if data.split else ""
    source = f" from {found.neurons_from}" if found.neurons_from else ""
    return Text.assemble(
        (found.task, "bold"),
        (f"  {data.source}, {counted_pairs(data.tested, found.groups)} of {data.pairs:,}{split}\n", "dim"),
        f"{_asked_about(found)}\n",
        (f"unedited mean margin {nats(found.margin)} nats [{nats(found.margin_low)}, {nats(found.margin_high)}]", ""),
        (f"{chr(10)}{found.noun}s{source}" if source else "", "dim"),
    )


def _asked_about(found: EvidenceResult) -> str:
    place, to = f"{in_layers(found.layers)} ({found.site})", "the mean" if found.to == "mean" else "zero"
    if found.by == "direction":
        return f"{found.asked_about} of {place}, its component moved to {to}"
    where = f"{counted(found.k, found.noun)} of {found.width:,} at {place}"
    return f"{where} by {found.method or 'given'}, moved to {to.replace('the', 'their')}"


def _curve(found: EvidenceResult) -> list[RenderableType]:
    if not found.curve:
        return []
    table = grid("share kept", f"{found.by}s", "by the ranking", "reversed", "controls:\nmean, range")
    for point in found.curve:
        own = f"{number(point.f)} [{number(point.low)}, {number(point.high)}]"
        cells = [f"{point.units:,}", own, number(point.reverse), _spread(point.controls)]
        add_row(table, f"{100 * point.share:g} %", *cells)
    areas = f"CPR {number(found.cpr, 3)} (area below f), CMD {number(found.cmd, 3)} (area between f and 1)"
    return [
        Text(f"preference kept where only a share of the {found.by}s is left as it is", style="bold"),
        table,
        Text(areas),
    ]


def _notes(found: EvidenceResult) -> list[RenderableType]:
    neutral, out = found.neutral, [row.task for row in found.elsewhere if row.effect is None]
    notes = [f"p: one-sided, among the set and its controls; q: Benjamini-Hochberg over {found.family} questions"]
    if neutral:
        mean = sum(neutral.controls) / len(neutral.controls) if neutral.controls else None
        notes += [f"KL {divergence(neutral.kl)} nats per token of neutral text (controls {divergence(mean)})"]
    shares = [answer.overlap for answer in found.tests.values() if answer.overlap is not None]
    if shares:
        notes += [f"on average a control has {100 * max(shares):.0f} % of the {found.noun}{'s' * (found.k > 1)} too"]
    if found.equal:
        reached = f", {found.equal.unreached} of them cannot reach it" if found.equal.unreached else ""
        notes += [f"at an equal KL of {divergence(found.equal.kl)}: scale {number(found.equal.scale)}{reached}"]
    if out:
        notes += [f"no clean preference, left out: {', '.join(out)}"]
    if found.method == "attribution":
        notes += ["attribution was selected on the outcome shown here (on other pairs)"]
    return [Text("\n".join(notes), style="dim"), Text()]


def _value(answer: Answer) -> str:
    if answer.value is None:
        return NONE
    if answer.low is None or answer.high is None:
        return number(answer.value)
    return f"{number(answer.value)} [{number(answer.low)}, {number(answer.high)}]"


def _spread(controls: Sequence[float]) -> str:
    if not controls:
        return NONE
    mean = sum(controls) / len(controls)
    return f"{number(mean)} ({number(min(controls))} to {number(max(controls))})"


def answers_csv(found: Sequence[EvidenceResult]) -> str:
    """A row per method and question, and one for each number beside it; the controls' values in one cell."""
    rows: list[dict[str, Json]] = []
    for one in found:
        for question, answer in one.tests.items():
            own = {"method": one.method, "question": question, "what": answer.measures, **_numbers(answer)}
            rows.append(own)
            rows += [{"method": one.method, "question": question, **record(beside)} for beside in answer.beside]
    return rows_csv(rows)


def _numbers(answer: Answer) -> dict[str, Json]:
    names = ("value", "low", "high", "p", "q", "holds", "null", "n", "tested", "why")
    controls = " ".join(f"{value:.6g}" for value in answer.controls)
    return {**{name: getattr(answer, name) for name in names}, "controls": controls}


def curve_csv(found: Sequence[EvidenceResult]) -> str:
    """A row per method and share."""
    rows = [(one.method, point) for one in found for point in one.curve]
    return rows_csv(
        [
            {
                "method": method,
                **{name: value for name, value in record(point).items() if name != "controls"},
                **{f"control_{i}": value for i, value in enumerate(point.controls, start=1)},
            }
            for method, point in rows
        ]
    )


def elsewhere_csv(found: Sequence[EvidenceResult]) -> str:
    """A row per method and other task."""
    rows = [(one.method, row) for one in found for row in one.elsewhere]
    return rows_csv(
        [
            {
                "method": method,
                **{name: value for name, value in record(row).items() if name != "controls"},
                "controls": " ".join(f"{value:.6g}" for value in row.controls),
            }
            for method, row in rows
        ]
    )


def map_csv(found: Sequence[EvidenceResult]) -> str:
    """A row per method, layer and region of factorial items."""
    return rows_csv([{"method": one.method, **record(cell)} for one in found for cell in one.map])
