"""Do the rankings agree, and what does attribution predict? For every layer of a `find`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from .grid import add_row, grid
from .numbers import NONE, nats, number

Entry = Mapping[str, Any]


def compared(entry: Entry) -> list[tuple[str, str]]:
    """The pairs of methods whose rankings are compared at some layer; none for a single method."""
    return list(dict.fromkeys(_pair(row) for layer in entry["layers"] for row in _rows(layer)))


def predicts_use(entry: Entry) -> bool:
    """Whether attribution predicts a drop of the margin at some layer."""
    return any(layer.get("attribution") for layer in entry["layers"])


def agreement_table(entry: Entry) -> Group:
    """Rank correlation over all units, and how many of the top k two methods share; predicted drops in nats."""
    pairs, used = compared(entry), predicts_use(entry)
    table = grid("layer", *(f"{a}\n~ {b}" for a, b in pairs), *(["predicted\ndrop"] if used else []), left=0)
    for layer in entry["layers"]:
        found = {_pair(row): row for row in _rows(layer)}
        drop = (layer.get("attribution") or {}).get("drop")
        best = layer["layer"] == entry["best_layer"]
        cells = [_cell(found[pair]) if pair in found else NONE for pair in pairs]
        cells += [NONE if drop is None else nats(drop)] if used else []
        add_row(table, f"▸ {layer['layer']}" if best else str(layer["layer"]), *cells, style="bold" if best else "")
    notes = []
    if pairs:
        notes.append(f"Spearman over all units; then shared part of the top {entry['k']} (by chance)")
    if used:
        notes.append(f"predicted drop: mean margin on validation, in nats, without attribution's top {entry['k']}")
    heading = "agreement of the rankings" if pairs else "use, as attribution predicts it"
    return Group(Text(heading, style="bold"), table, Text("\n".join(notes), style="dim"))


def _rows(layer: Entry) -> list[dict[str, Any]]:
    return layer.get("agreement") or []


def _pair(row: Entry) -> tuple[str, str]:
    a, b = row["methods"]
    return a, b


def _cell(row: Entry) -> Text:
    chance = (f" ({number(row['chance'])})", "dim not bold")
    return Text.assemble(f"{number(row['spearman']):>4}  {number(row['overlap']):>4}", chance)
