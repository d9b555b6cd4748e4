"""What `neurosteer find` prints: the baselines of each split, the layers, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.results import FindLayer, FindResult
from neurosteer.vocabulary import DirectionKind, counted

from .agreement import agreement_table, compared, predicts_use
from .baselines import COLUMNS, UNSPACED, lacks_words, named
from .grid import add_row, grid
from .masks import mask_table
from .numbers import number, percent


def find_table(found: FindResult) -> RenderableType:
    """One task of `neurosteer find` as something rich can print; it fits a terminal of 80 columns.

    Every accuracy is a share of test sentences. The best layer was chosen on validation data, so it need
    not be the one with the highest number in the table.
    """
    parts: tuple[RenderableType, ...] = (
        _heading(found),
        "",
        _baselines(found),
        _layers(found),
        _footnotes(found),
        *(("", agreement_table(found)) if compared(found) or predicts_use(found) else ()),
        *(() if found.mask is None else ("", mask_table(found.mask))),
        "",
        found.interpretation,
        "",
    )
    return Group(*(Text(part) if isinstance(part, str) else part for part in parts))


def _heading(found: FindResult) -> Text:
    data, split = found.data, found.data.split
    dropped = f" ({split.dropped:,} dropped)" if split.dropped else ""
    sizes = f"{split.train:,} train, {split.validation:,} validation, {split.test:,} test pairs{dropped}"
    return Text.assemble(
        (found.task, "bold"), (f"  {data.source}, {data.pairs:,} pairs\n", "dim"), f"{split.kind} split: {sizes}"
    )


def _baselines(found: FindResult) -> Table:
    """A line of word baselines for each split, and beneath it one of token baselines: those that 80 columns hold."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("without a model", style="dim", overflow="fold")
    for name in COLUMNS:
        table.add_column(name, justify="right", overflow="fold")
    rows = {f"{found.data.split.kind} split": found.baselines}
    if found.baselines_new_words is not None:
        rows["new words"] = found.baselines_new_words
    for label, baselines in rows.items():
        values = named(baselines)
        add_row(table, label, *(number(values[name], digits=3) for name in COLUMNS))
        add_row(table, "  its tokens", *(number(values[name], digits=3) if name else "" for name in COLUMNS.values()))
    return table


def _layers(found: FindResult) -> Table:
    """A row for each layer, in the columns that have anything to show."""
    columns: list[tuple[str, Callable[[FindLayer], Text | str]]] = [
        ("layer", lambda row: f"▸ {row.layer}" if row.layer == found.best_layer else str(row.layer)),
        ("dense", lambda row: number(row.dense)),
        (f"top\n{found.topk}", lambda row: number(row.topk)),
        (f"random {found.topk}\nmean, range", _random),
    ]
    for kind in found.direction_layers or {}:
        columns.append((f"{kind}\ndir.", partial(_along, kind)))
    if _has_masks(found):
        columns += [
            ("L0\nkept", lambda row: percent(row.l0.kept if row.l0 else None)),
            ("L0\nacc.", _masked_accuracy),
        ]
    if _has_spearman(found):
        columns.append(("Spear-\nman", lambda row: number(row.spearman)))
    columns.append(("signif-\nicant", lambda row: f"{row.significant:,}"))
    if _has_new_words(found):
        columns += [
            ("new\nwords:\ndense", lambda row: number(row.new_words.dense if row.new_words else None)),
            (f"new\nwords:\ntop {found.topk}", lambda row: number(row.new_words.topk if row.new_words else None)),
        ]
    table = grid(*(head for head, _ in columns), left=0)
    for layer in found.layers:
        add_row(table, *(cell(layer) for _, cell in columns), style="bold" if layer.layer == found.best_layer else "")
    return table


def _along(kind: DirectionKind, layer: FindLayer) -> str:
    return number((layer.along or {}).get(kind))


def _random(layer: FindLayer) -> Text:
    sets = layer.random
    return Text.assemble(number(sets.mean), " ", (f"{number(sets.low)}–{number(sets.high)}", "dim not bold"))  # noqa: RUF001


def _masked_accuracy(layer: FindLayer) -> str:
    """With a star where no lambda came close enough to the dense probe."""
    mask = layer.l0
    return number(mask.accuracy if mask else None) + ("*" if mask and not mask.reached else "")


def _footnotes(found: FindResult) -> Text:
    masks = [layer.l0 for layer in found.layers if layer.l0]
    notes = [
        f"top {found.topk} of {counted(found.width, found.by)} by {found.methods[0]}; all accuracies on test data",
        "▸ best layer, chosen on validation data",
        "its tokens: the same of the model's tokens; length is their number",
    ]
    for kind, layer in (found.direction_layers or {}).items():
        notes.append(f"{kind} dir.: read along that direction alone; best on validation at layer {layer}")
    if found.by == "head":
        notes.append("significant: units, not heads, of all layers together")
    if lacks_words(found.baselines):
        notes.append(UNSPACED)
    if _has_new_words(found):
        notes.append("new words: the words that make the contrast in test make it nowhere in train")
    if any(mask.lam == 1 for mask in masks):
        notes.append("L0 kept 100%: only lambda 1, which masks nothing, came within 95 % of the dense")
    if not all(mask.reached for mask in masks):
        notes.append("* no lambda came within 95 % of the dense accuracy; the closest is shown")
    return Text("\n".join(notes), style="dim")


def _has_masks(found: FindResult) -> bool:
    """Whether L0 masks were trained."""
    return any(layer.l0 for layer in found.layers)


def _has_spearman(found: FindResult) -> bool:
    """Whether the table of layers compares |t| and the mask: where no agreement of welch and l0 is shown."""
    return _has_masks(found) and not any({*both} == {"welch", "l0"} for both in compared(found))


def _has_new_words(found: FindResult) -> bool:
    return any(layer.new_words for layer in found.layers)
