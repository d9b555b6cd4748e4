"""What `neurosteer find` prints: the baselines of each split, the layers, and what they say."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

NONE = "–"  # noqa: RUF001  (an en dash: nothing to show here)
BASELINES = ("majority", "length", "last_word", "unigram", "stem", "bigram")


def find_table(entry: dict[str, Any]) -> RenderableType:
    """One task of `neurosteer find` as something rich can print; it fits a terminal of 80 columns.

    Every accuracy is a share of test sentences. The best layer was chosen on validation data, so it need
    not be the one with the highest number in the table.
    """
    parts = (
        _heading(entry),
        "",
        _baselines(entry),
        _layers(entry),
        _footnotes(entry),
        *([Text(), _agreement(entry)] if _compares(entry) else []),
        "",
        entry["reading"],
        "",
    )
    return Group(*(Text(part) if isinstance(part, str) else part for part in parts))


def _heading(entry: dict[str, Any]) -> Text:
    data, split = entry["data"], entry["data"]["split"]
    sizes = ", ".join(f"{split[part]:,} {part}" for part in ("train", "validation", "test"))
    dropped = f" ({split['dropped']:,} dropped)" if split["dropped"] else ""
    return Text.assemble(
        (entry["task"], "bold"),
        (f"  {data['source']}, {data['pairs']:,} pairs\n", "dim"),
        f"{split['kind']} split: {sizes} pairs{dropped}",
    )


def _baselines(entry: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("without a model", style="dim", overflow="fold")
    for name in BASELINES:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    rows = {f"{entry['data']['split']['kind']} split": entry["baselines"]}
    if entry["baselines_new_words"] is not None:
        rows["new words"] = entry["baselines_new_words"]
    for label, values in rows.items():
        table.add_row(label, *(number(values.get(name), digits=3) for name in BASELINES))
    return table


def _layers(entry: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headers = [
        "layer",
        "dense",
        f"top\n{entry['k']}",
        f"random {entry['k']}\nmean, range",
        "L0\nkept",
        "L0\nacc.",
        "Spear-\nman",
        "signif-\nicant",
    ]
    if _has_new_words(entry):
        headers += ["new\nwords:\ndense", f"new\nwords:\ntop {entry['k']}"]
    for header in headers:
        table.add_column(header, justify="right", vertical="bottom", overflow="fold")
    for row in entry["layers"]:
        best = row["layer"] == entry["best_layer"]
        table.add_row(*_cells(row, best, _has_new_words(entry)), style="bold" if best else "")
    return table


def _cells(row: dict[str, Any], best: bool, new_words: bool) -> list[Text | str]:
    random, l0 = row["random"], row["l0"] or {}
    missed = "*" if l0.get("reached") is False else ""
    spread = f"{number(random['low'])}–{number(random['high'])}"  # noqa: RUF001
    cells: list[Text | str] = [
        f"▸ {row['layer']}" if best else str(row["layer"]),
        number(row["dense"]),
        number(row["topk"]),
        Text.assemble(number(random["mean"]), " ", (spread, "dim not bold")),
        percent(l0.get("kept")),
        number(l0.get("accuracy")) + missed,
        number(row["spearman"]),
        f"{row['significant']:,}",
    ]
    if new_words:
        held_out = row["new_words"] or {}
        cells += [number(held_out.get("dense")), number(held_out.get("topk"))]
    return cells


def _compares(entry: dict[str, Any]) -> bool:
    return any(row.get("agreement") for row in entry["layers"])


def _agreement(entry: dict[str, Any]) -> Group:
    """Do the rankings agree? Rank correlation over all units, and how many of the top k two methods share."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("layer", justify="right", vertical="bottom")
    pairs = [pair["methods"] for pair in entry["layers"][0]["agreement"]]
    for a, b in pairs:
        table.add_column(f"{a}\n{b}", justify="right", vertical="bottom")
    used = "attribution" in entry["methods"]
    if used:
        table.add_column("predicted\ndrop", justify="right", vertical="bottom")
    for row in entry["layers"]:
        cells = [_shared(pair) for pair in row["agreement"]]
        drop = [f"{row['attribution']['drop']:.2f}"] if used else []
        table.add_row(str(row["layer"]), *cells, *drop)
    notes = [f"agreement of the rankings: Spearman over all units; share of the top {entry['k']} (by chance)"]
    if used:
        notes.append("predicted drop of the mean margin (nats, validation) when the top by attribution are ablated")
    return Group(table, Text("\n".join(notes), style="dim"))


def _shared(pair: dict[str, Any]) -> Text:
    return Text.assemble(
        number(pair["spearman"]), "  ", number(pair["overlap"]), (f" ({number(pair['chance'])})", "dim")
    )


def _footnotes(entry: dict[str, Any]) -> Text:
    notes = [
        f"top {entry['k']} of {entry['width']:,} units by {entry['methods'][0]}; all accuracies on test data",
        "▸ best layer, chosen on validation data",
    ]
    if _has_new_words(entry):
        notes.append("new words: the words that make the contrast in test make it nowhere in train")
    if any((row["l0"] or {}).get("reached") is False for row in entry["layers"]):
        notes.append("* no lambda came within 95 % of the dense accuracy; the closest is shown")
    return Text("\n".join(notes), style="dim")


def _has_new_words(entry: dict[str, Any]) -> bool:
    return any(row["new_words"] is not None for row in entry["layers"])


def number(value: float | None, digits: int = 2) -> str:
    """`.93` for 0.934, `1.00` for 1, `-.05` for -0.05; an en dash for None."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def percent(share: float | None) -> str:
    """`12%` for a share of 0.12, `0.9%` for 0.009; an en dash for None."""
    if share is None:
        return NONE
    return f"{100 * share:.0f}%" if share >= 0.0995 or share == 0 else f"{100 * share:.1f}%"
