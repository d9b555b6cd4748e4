"""How answers are put in words."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.report.numbers import p_equals
from neurosteer.results import Estimate
from neurosteer.vocabulary import FEWEST_CONTROLS


def percent(value: float | None) -> str:
    """`49 %`."""
    return "an unknown share" if value is None else f"{round(100 * value)} %"


def share(one: Estimate) -> str:
    """`49 % (95 % interval 40 to 58 %)`."""
    if one.low is None or one.high is None:
        return percent(one.value)
    return f"{percent(one.value)} (95 % interval {round(100 * one.low)} to {round(100 * one.high)} %)"


def capitalised(text: str) -> str:
    """The same with a large first letter."""
    return text[:1].upper() + text[1:]


def against(controls: Sequence[float], p: float | None, what: str) -> str:
    """`; 19 matched sets: -2 to 11 %, p = .05`."""
    if not controls or p is None:
        return "; without controls nothing follows"
    spread = f"{round(100 * min(controls))} to {round(100 * max(controls))} %"
    few = " (too few to tell)" if len(controls) < FEWEST_CONTROLS else ""
    return f"; {len(controls)} {what}: {spread}, {p_equals(p)}{few}"
