"""How numbers are written: the same way in every table and figure."""

from __future__ import annotations

from collections.abc import Iterable

NONE = "–"  # noqa: RUF001  (an en dash: nothing to show here)


def number(value: float | None, digits: int = 2) -> str:
    """`.93` for 0.934, `1.00` for 1, `-.05` for -0.05; an en dash for None."""
    if value is None:
        return NONE
    text = _unsigned_zero(f"{value:.{digits}f}")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def signed(value: float | None) -> str:
    """A coefficient: `+.93`, `-.20`, `.00`; an en dash for None."""
    text = number(value)
    return text if value is None or text.startswith("-") or float(text) == 0 else f"+{text}"


def percent(share: float | None) -> str:
    """`12%` for a share of 0.12, `0.9%` for 0.009; an en dash for None."""
    if share is None:
        return NONE
    return f"{100 * share:.0f}%" if share >= 0.0995 or share == 0 else f"{100 * share:.1f}%"


def p_value(p: float | None) -> str:
    """`.05`, `.045`, `<.001`: three digits where the third says something; an en dash for None."""
    if p is not None and p < 0.001:
        return "<.001"
    return number(p, digits=3).removesuffix("0")


def p_equals(p: float) -> str:
    """`p = .05` or `p < .001`."""
    text = p_value(p)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def nats(value: float) -> str:
    """A margin: `3.62`, `-0.05`."""
    return _unsigned_zero(f"{value:.2f}")


def change(value: float | None) -> str:
    """A change of a margin, in nats: `-0.86`, `+0.40`, `0.00`; an en dash for None."""
    if value is None:
        return NONE
    text = nats(value)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def between(ends: tuple[float, float]) -> str:
    """`.69 to .77`."""
    return f"{number(ends[0])} to {number(ends[1])}"


def interval(value: float, low: float, high: float) -> str:
    """A change with its interval: `-0.86 [-1.10, -0.61]`."""
    return f"{change(value)} [{change(low)}, {change(high)}]"


def span(low: float, high: float) -> str:
    """From the lowest to the highest change: `-0.85 to +0.45`."""
    return f"{change(low)} to {change(high)}"


def divergence(kl: float | None) -> str:
    """A KL in nats per token: `0.124`, `<0.001`; an en dash for None."""
    if kl is None:
        return NONE
    return "<0.001" if 0 < kl < 0.0005 else _unsigned_zero(f"{kl:.3f}")


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if float(text) == 0 else text


def lambda_text(value: float) -> str:
    """A lambda: `.05`, `1`."""
    return f"{value:g}".removeprefix("0") if 0 < value < 1 and value >= 1e-4 else f"{value:g}"


def share_of(k: int, width: int) -> str:
    """`1 %` for 6 of 576."""
    return f"{100 * k / width:.2g} %"


def count_range(counts: Iterable[int]) -> str:
    """`200`, or `141 to 200` where they differ."""
    every = list(counts)
    fewest, most = min(every, default=0), max(every, default=0)
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def in_words(name: str) -> str:
    """A phenomenon or task without its underscores."""
    return name.replace("_", " ")
