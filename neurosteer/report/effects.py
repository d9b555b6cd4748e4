"""What `neurosteer ablate` and `amplify` print: the change, that of the controls, and all that qualifies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .tables import NONE, number

Row = Mapping[str, Any]
HEADERS = ("accuracy", "change of the\nmargin", "interval\nor range", "p", "KL")


def effect_table(entry: dict[str, Any]) -> RenderableType:
    """One neuron set's effect as something rich can print; it fits a terminal of 80 columns.

    Margins and their changes are in nats, KL in nats per token of neutral text; a negative change means that the
    preference for the grammatical sentence falls.
    """
    parts: list[RenderableType] = [_heading(entry), _main(entry), _numbers(entry)]
    if len(entry["doses"]) > 1:
        parts += ["", _rows("scale", [(f"{row['scale']:g}", row) for row in entry["doses"]])]
    if len(entry["kinds"]) > 1:
        parts += ["", _rows("replaced by", [(row["kind"], row) for row in entry["kinds"]]), _agreement(entry)]
    if entry["also"]:
        parts += ["", _rows("other tasks", [(row["task"], _flat(row)) for row in entry["also"]], kl=False)]
    return Group(*(Text(part) if isinstance(part, str) else part for part in [*parts, "", entry["reading"], ""]))


def compare_table(entries: Sequence[dict[str, Any]]) -> RenderableType:
    """Several neuron sets of one task beside each other, one row per method."""
    rows = [
        (f"{entry['method']}: {entry['edit']['k']} at {layers_of(entry['edit'])}", _flat(entry)) for entry in entries
    ]
    title = Text.assemble((entries[0]["task"], "bold"), ("  encoded against used", "dim"))
    return Group(title, _rows("neurons by", rows), Text("\n".join(caveats(entries)), style="dim"), Text())


def caveats(entries: Sequence[Row]) -> list[str]:
    """What has to be said beside any comparison of methods."""
    notes = ["sets that disturb the model more (KL) also move the margin more: compare at equal KL"]
    if any(entry["method"] == "attribution" for entry in entries):
        notes.insert(0, "attribution was selected on the outcome shown here (on other pairs)")
    return notes


def what_was_done(edit: Row) -> str:
    """`set to zero: 40 neurons at layer 14 (resid_post), at every token but BOS`."""
    where = {"all": "every token but BOS", "prompt": "every prompt token but BOS", "generated": "generated tokens"}
    return f"{_deed(edit)}: {edit['k']} neurons at {layers_of(edit)} ({edit['site']}), at {where[edit['where']]}"


def layers_of(edit: Row) -> str:
    layers = edit["layers"]
    if len(layers) == 1:
        return f"layer {layers[0]}"
    whole = layers == list(range(layers[0], layers[-1] + 1))
    return f"layers {layers[0]}-{layers[-1]}" if whole else f"{len(layers)} layers"


def p_value(p: float) -> str:
    """`.05`, `.003`, `<.001`."""
    if p < 0.001:
        return "<.001"
    return number(p, digits=2 if p >= 0.01 else 3)


def _deed(edit: Row) -> str:
    kind, scale = edit["kind"], edit["scale"]
    if kind in ("clamp", "push"):
        return {"clamp": "clamped", "push": "pushed"}[kind]
    reference = {"zero": "zero", "mean": "their mean", "resample": "a donor's activation"}[kind]
    if scale == 0:
        return f"set to {reference}"
    return f"scaled by {scale:g}" + ("" if kind == "zero" else f" about {reference}")


def _heading(entry: Row) -> Text:
    data = entry["data"]
    split = f", {data['split']['kind']} split" if data.get("split") else ""
    source = entry.get("neurons_from")
    chosen = f"chosen by {entry['method']}" + (f", from {source}" if source else "")
    return Text.assemble(
        (entry["task"], "bold"),
        (f"  {data['source']}, {data['tested']:,} test pairs of {data['pairs']:,}{split}\n", "dim"),
        f"{what_was_done(entry['edit'])}\n",
        (f"{chosen}\n", "dim"),
    )


def _main(entry: Row) -> Table:
    table = _table("")
    table.add_row("unedited", number(entry["accuracy"]["before"]), "", "", "", "")
    _add(table, f"these {entry['edit']['k']} neurons", _flat(entry), style="bold")
    light = entry["without_massive"]
    if light is not None:
        _add(table, f"without massive: {light['k']}", light)
    return table


def _add(table: Table, label: str, row: Row, *, style: str = "", kl: bool = True) -> None:
    """A set, and beneath it its controls."""
    controls = row["controls"]
    cells = [label, number(row["accuracy"]), _signed(row["delta"]), _span(row["low"], row["high"])]
    p = p_value(controls["p"]) if controls else NONE
    table.add_row(*cells, p, *([_kl(row.get("kl"))] if kl else []), style=style)
    if controls:
        others = [
            f"  {controls['n']} matched sets",
            number(controls["accuracy"]),
            _signed(controls["delta_mean"]),
            _span(controls["delta_low"], controls["delta_high"]),
        ]
        table.add_row(*others, "", *([_kl(controls.get("kl"))] if kl else []), style="dim")


def _rows(title: str, rows: Sequence[tuple[str, Row]], *, kl: bool = True) -> Table:
    table = _table(title, kl=kl)
    for label, row in rows:
        _add(table, label, row, kl=kl)
    return table


def _table(first: str, *, kl: bool = True) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(Text(first), vertical="bottom", overflow="fold")
    for header in HEADERS if kl else HEADERS[:-1]:
        table.add_column(header, justify="right", vertical="bottom", overflow="fold")
    return table


def _numbers(entry: Row) -> Text:
    margin, side, controls = entry["margin"], entry["side_effects"], entry["controls"]
    lines: list[tuple[str, str] | str] = []
    if controls is None:
        lines.append("no controls: nothing to compare with\n")
    else:
        least = controls["p"] <= 1 / (controls["n"] + 1) + 1e-9
        floor = f", the smallest that {controls['n']} can give" if least else ""
        lines.append((f"p = {p_value(controls['p'])} against {controls['n']} matched sets{floor}\n", "bold"))
        lines.append((f"controls are {number(controls['unmatched'])} standard deviations off, on average\n", "dim"))
    lines += [
        (f"before against after, sign-flip p {p_value(margin['p'])}: means little alone\n", "dim"),
        f"margin {margin['before']:.2f} before, {margin['after']:.2f} after; pairs lost "
        f"{entry['flipped']['lost']}, gained {entry['flipped']['gained']}\n",
        f"neutral text ({side['text']}, {side['tokens']:,} tokens): perplexity {side['perplexity_before']:.1f} "
        f"before, {side['perplexity_after']:.1f} after",
    ]
    return Text.assemble(*lines)


def _agreement(entry: Row) -> Text:
    return Text(f"the references {'agree' if entry['kinds_agree'] else 'do not agree'}", style="bold")


def _flat(entry: Row) -> dict[str, Any]:
    """An entry of a task in the keys that doses and kinds have."""
    margin = {name: entry["margin"][name] for name in ("delta", "low", "high")}
    kl = {"kl": entry["side_effects"]["kl"]} if "side_effects" in entry else {}
    return {"accuracy": entry["accuracy"]["after"], **margin, "controls": entry["controls"], **kl}


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _span(low: float, high: float) -> str:
    return f"{low:+.2f} to {high:+.2f}"


def _kl(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
