"""How answers are put in words."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.results import Estimate
from neurosteer.vocabulary import FEWEST_CONTROLS


def percent(value: float | None) -> str:
    """`49 %`."""
    return "an unknown share" if value is None else f"{100 * value:.0f} %"


def share(one: Estimate) -> str:
    """`49 % (95 % interval 40 to 58 %)`."""
    if one.low is None or one.high is None:
        return percent(one.value)
    return f"{percent(one.value)} (95 % interval {100 * one.low:.0f} to {100 * one.high:.0f} %)"


def against(controls: Sequence[float], p: float | None, what: str = "matched sets") -> str:
    """`; 19 matched sets: -2 to 11 %, p = .05`."""
    if not controls or p is None:
        return "; without controls nothing follows"
    spread = f"{100 * min(controls):.0f} to {100 * max(controls):.0f} %"
    few = " (too few to tell)" if len(controls) < FEWEST_CONTROLS else ""
    return f"; {len(controls)} {what}: {spread}, {p_words(p)}{few}"


def p_words(p: float) -> str:
    """`p = .05`."""
    text = f"{p:.3f}".rstrip("0").rstrip(".")
    return f"p = {text[1:] if text.startswith('0.') else text}"
