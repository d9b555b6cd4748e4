"""Do the rankings agree, and what does attribution predict? For every layer of a `find`."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from neurosteer.results import Agreement, FindResult
from neurosteer.vocabulary import Method

from .grid import add_row, grid
from .numbers import NONE, nats, number


def compared(found: FindResult) -> list[tuple[Method, Method]]:
    """The pairs of methods whose rankings are compared at some layer; none for a single method."""
    return list(dict.fromkeys(between.methods for layer in found.layers for between in layer.agreement))


def predicts_use(found: FindResult) -> bool:
    """Whether attribution predicts a drop of the margin at some layer."""
    return any(layer.attribution for layer in found.layers)


def agreement_table(found: FindResult) -> Group:
    """Rank correlation over all units, and how many of the top k two methods share; predicted drops in nats."""
    pairs, used = compared(found), predicts_use(found)
    table = grid("layer", *(f"{a}\n~ {b}" for a, b in pairs), *(["predicted\ndrop"] if used else []), left=0)
    for layer in found.layers:
        by_pair = {between.methods: between for between in layer.agreement}
        best = layer.layer == found.best_layer
        cells = [_cell(by_pair[pair]) if pair in by_pair else NONE for pair in pairs]
        cells += [nats(layer.attribution.drop) if layer.attribution else NONE] if used else []
        add_row(table, f"▸ {layer.layer}" if best else str(layer.layer), *cells, style="bold" if best else "")
    notes = []
    if pairs:
        notes.append(f"Spearman over all {found.by}s; then shared part of the top {found.topk} (by chance)")
    if used:
        notes.append(f"predicted drop: mean margin on validation, in nats, without attribution's top {found.topk}")
    heading = "agreement of the rankings" if pairs else "use, as attribution predicts it"
    return Group(Text(heading, style="bold"), table, Text("\n".join(notes), style="dim"))


def _cell(between: Agreement) -> Text:
    chance = (f" ({number(between.chance)})", "dim not bold")
    return Text.assemble(f"{number(between.spearman):>4}  {number(between.overlap):>4}", chance)
