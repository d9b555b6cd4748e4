"""What a causal mask found: the curve of sets that were tried, and the set that was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.results import CausalMask, MaskPoint

from .grid import add_row, grid
from .numbers import divergence, number, percent

MOST_ROWS = 9


def mask_table(mask: CausalMask) -> Group:
    """The sets by their size, on validation pairs; then the set on test pairs, in words."""
    left_out = f"; {mask.massive} massive ones left out" if mask.massive else ""
    at = f"layer {mask.layers[0]}" if len(mask.layers) == 1 else f"{len(mask.layers)} layers"
    parts: list[RenderableType] = [
        Text(f"a causal mask over the {mask.units:,} units of {at}, to {mask.to}{left_out}", style="bold")
    ]
    if mask.curve:
        table = grid("units", "margin\nlost", "KL", left=0)
        for point in shown_points(mask.curve, mask.k):
            chosen = point.k == mask.k
            cells = (percent(point.lost), divergence(point.kl))
            add_row(table, f"▸ {point.k}" if chosen else str(point.k), *cells, style="bold" if chosen else "")
        note = "margin lost: of what ablating all units takes; on validation pairs\nKL: on text that trained no mask"
        parts += [table, Text(note, style="dim")]
    return Group(*parts, Text(""), Text(mask_words(mask)))


def mask_words(mask: CausalMask) -> str:
    """What the search found, and what of it two seeds and massive units leave."""
    asked = f"{100 * mask.share:.0f} % of the margin within a KL of {mask.most_kl:g}"
    if not mask.found:
        return f"No set was found that takes {asked}: {mask.why}."
    low, high = (f"{100 * end:.0f}" for end in (mask.lost.low or 0.0, mask.lost.high or 0.0))
    said = (
        f"The smallest set that takes {asked} on validation pairs has {mask.k} of {mask.units:,} units. On test "
        f"pairs it takes {100 * (mask.lost.value or 0.0):.0f} % (95 % interval {low} to {high}): accuracy goes from "
        f"{number(mask.before)} to {number(mask.after)}."
    )
    if mask.overlap is not None:
        said += (
            f" Any two of {mask.seeds} seeds share {100 * mask.overlap:.0f} % of their first {mask.k} "
            f"({100 * (mask.chance or 0.0):.0f} % by chance)."
        )
    return said + _massive(mask)


def _massive(mask: CausalMask) -> str:
    heavy = mask.with_massive
    if heavy is None:
        return ""
    if heavy.k is None:
        return " With massive units no set was found."
    shared = "" if heavy.shared is None else f", and {100 * heavy.shared:.0f} % of the smaller set are in both"
    return f" With massive units: {heavy.k} units, {heavy.massive} of them massive{shared}."


def shown_points(curve: Sequence[MaskPoint], k: int | None) -> list[MaskPoint]:
    """Some of them, evenly by place, with the chosen one, the one before it and the last."""
    if len(curve) <= MOST_ROWS:
        return list(curve)
    step = (len(curve) - 1) / (MOST_ROWS - 1)
    places = {round(i * step) for i in range(MOST_ROWS)}
    at = next((i for i, point in enumerate(curve) if point.k == k), None)
    if at is not None:
        places |= {at, max(at - 1, 0)}
    return [curve[i] for i in sorted(places)]
