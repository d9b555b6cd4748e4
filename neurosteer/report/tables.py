"""What `neurosteer find` prints: the baselines of each split, the layers, and what they say."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .agreement import agreement_table, compared, predicts_use
from .baselines import NAMES, UNSPACED, WORDS, lacks_words, named
from .grid import add_row, grid
from .numbers import number, percent

_TOKENS = {"length": "token count", "unigram": "token unigram", "bigram": "token bigram"}  # beneath those of words


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
        *(["", agreement_table(entry)] if compared(entry) or predicts_use(entry) else []),
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
    """A line of word baselines for each split, and beneath it one of token baselines."""
    heads = NAMES[: len(WORDS)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("without a model", style="dim", overflow="fold")
    for name in heads:
        table.add_column(name, justify="right", overflow="fold")
    rows = {f"{entry['data']['split']['kind']} split": entry["baselines"]}
    if entry["baselines_new_words"] is not None:
        rows["new words"] = entry["baselines_new_words"]
    for label, baselines in rows.items():
        values = named(baselines)
        add_row(table, label, *(number(values[name], digits=3) for name in heads))
        tokens = [number(values[_TOKENS[name]], digits=3) if name in _TOKENS else "" for name in heads]
        add_row(table, "  its tokens", *tokens)
    return table


def _layers(entry: dict[str, Any]) -> Table:
    headers = [
        "layer",
        "dense",
        f"top\n{entry['k']}",
        f"random {entry['k']}\nmean, range",
        *(["L0\nkept", "L0\nacc."] if _has_masks(entry) else []),
        *(["Spear-\nman"] if _has_spearman(entry) else []),
        "signif-\nicant",
    ]
    if _has_new_words(entry):
        headers += ["new\nwords:\ndense", f"new\nwords:\ntop {entry['k']}"]
    table = grid(*headers, left=0)
    for row in entry["layers"]:
        best = row["layer"] == entry["best_layer"]
        add_row(table, *_cells(row, best, entry), style="bold" if best else "")
    return table


def _cells(row: dict[str, Any], best: bool, entry: dict[str, Any]) -> list[Text | str]:
    random, l0 = row["random"], row["l0"] or {}
    missed = "*" if l0.get("reached") is False else ""
    spread = f"{number(random['low'])}–{number(random['high'])}"  # noqa: RUF001
    cells: list[Text | str] = [
        f"▸ {row['layer']}" if best else str(row["layer"]),
        number(row["dense"]),
        number(row["topk"]),
        Text.assemble(number(random["mean"]), " ", (spread, "dim not bold")),
        *([percent(l0.get("kept")), number(l0.get("accuracy")) + missed] if _has_masks(entry) else []),
        *([number(row["spearman"])] if _has_spearman(entry) else []),
        f"{row['significant']:,}",
    ]
    if _has_new_words(entry):
        held_out = row["new_words"] or {}
        cells += [number(held_out.get("dense")), number(held_out.get("topk"))]
    return cells


def _footnotes(entry: dict[str, Any]) -> Text:
    notes = [
        f"top {entry['k']} of {entry['width']:,} units by {entry['methods'][0]}; all accuracies on test data",
        "▸ best layer, chosen on validation data",
        "its tokens: the same of the model's tokens; length is their number",
    ]
    if lacks_words(entry["baselines"]):
        notes.append(UNSPACED)
    if _has_new_words(entry):
        notes.append("new words: the words that make the contrast in test make it nowhere in train")
    if any((row["l0"] or {}).get("lambda") == 1 for row in entry["layers"]):
        notes.append("L0 kept 100%: only lambda 1, which masks nothing, came within 95 % of the dense")
    if any((row["l0"] or {}).get("reached") is False for row in entry["layers"]):
        notes.append("* no lambda came within 95 % of the dense accuracy; the closest is shown")
    return Text("\n".join(notes), style="dim")


def _has_masks(entry: dict[str, Any]) -> bool:
    """Whether L0 masks were trained."""
    return any(row["l0"] for row in entry["layers"])


def _has_spearman(entry: dict[str, Any]) -> bool:
    """Whether the table of layers compares |t| and the mask: where no agreement of welch and l0 is shown."""
    return _has_masks(entry) and {"welch", "l0"} not in map(set, compared(entry))


def _has_new_words(entry: dict[str, Any]) -> bool:
    return any(row["new_words"] is not None for row in entry["layers"])
