"""What the ways to train say of a claim together: does it hold, fail, depend on the training, or is it not shown?

Each way says `up`, `down` or `not shown`, or it `cannot be judged`. That some are up and others not is no sign that
training matters: the same trend, near the edge of what can be shown, gives that too. It matters where ways contradict
each other, or where their numbers differ by more than the same draws of tasks make likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.experiments.intervals import tail
from neurosteer.vocabulary import LEVEL

from .variants import STATES

FACTORS = ("states", "start", "log_alpha", "training")
Says = Literal["up", "down", "not shown", "cannot be judged"]
UP, DOWN, NOT_SHOWN, UNJUDGED = SAYS = get_args(Says)
HOLDS, FAILS, DEPENDS = "holds", "fails", "depends on training"
EDGE = 1e-9  # what rounding makes of a difference of 0
Factors = Mapping[str, str | float]
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Said:
    """What one way says of a claim, and the number behind in every resample of the tasks (the first: as they are)."""

    factors: Factors
    says: Says
    draws: Float[np.ndarray, "resample"]


def says(low: np.ndarray, high: np.ndarray) -> Says:
    """Of intervals `[point]` of what is claimed to be above 0: which of them are, at more than half of the points."""
    half = len(low) / 2
    if np.isfinite(low).sum() <= half:
        return UNJUDGED
    return UP if (low > 0).sum() > half else DOWN if (high < 0).sum() > half else NOT_SHOWN


def judge(claim: str, every: Sequence[Said], drawn: int) -> Row:
    """The verdict on a claim, from the ways that are crossed with each other; scaled states stand beside them.

    `up`, `down`, `not_shown` and `unjudged` of `ways`; `holds` are those that are up, `of` those that can be judged,
    `by` the same for each value of each choice. `differences` between two values of a choice, strongest first, and
    `on`: the choices that the claim depends on. `drawn`: how many phenomena or tasks are resampled.
    """
    crossed = [one for one in every if one.factors["states"] in STATES]
    counts = {word: sum(one.says == word for one in crossed) for word in SAYS}
    known = [one for one in crossed if one.says != UNJUDGED]
    apart = differences(known, drawn)
    verdict = _verdict(counts, any(row["apart"] for row in apart))
    on = dict.fromkeys(row["factor"] for row in apart if row["apart"]) if verdict == DEPENDS else {}
    return {
        "claim": claim,
        "verdict": verdict,
        "text": f"{', '.join(f'{word} in {count}' for word, count in counts.items())} of {len(crossed)} ways",
        "holds": counts[UP],
        "of": len(known),
        "up": counts[UP],
        "down": counts[DOWN],
        "not_shown": counts[NOT_SHOWN],
        "unjudged": counts[UNJUDGED],
        "ways": len(crossed),
        "by": {factor: _by_value(known, factor) for factor in FACTORS},
        "differences": apart,
        "on": list(on),
    }


def _verdict(counts: Mapping[str, int], differ: bool) -> str:
    up, down, known = counts[UP], counts[DOWN], counts[UP] + counts[DOWN] + counts[NOT_SHOWN]
    if known == 0 or known < counts[UNJUDGED]:
        return UNJUDGED
    if up == known:
        return HOLDS
    if up == 0 and down > known / 2:
        return FAILS
    return DEPENDS if up and (down or differ) else NOT_SHOWN


def _by_value(known: Sequence[Said], factor: str) -> dict[str, list[int]]:
    """For each value of a choice: how many ways are up, of how many."""
    found: dict[str, list[int]] = {}
    for one in known:
        count = found.setdefault(str(one.factors[factor]), [0, 0])
        count[0] += one.says == UP
        count[1] += 1
    return found


def differences(known: Sequence[Said], drawn: int) -> list[Row]:
    """`{factor, a, b, difference, low, high, apart}` for each two values of a choice, the largest difference first.

    The number of a way with `a` less that of the way with `b` that is like it but for this choice: the mean over such
    pairs, all by the same draws of tasks. The intervals hold all at once in 95 % of cases: they reach as far as the
    largest of all differences, each by its own standard deviation, is off in 95 % of the resamples, and farther the
    fewer things are drawn. `apart`: 0 is outside.
    """
    found = [
        (factor, a, b, np.mean(pairs, axis=0))
        for factor in FACTORS
        for a, b in combinations(dict.fromkeys(one.factors[factor] for one in known), 2)
        if (pairs := _pairs(known, factor, a, b))
    ]
    if not found or np.isnan(tail(drawn)):
        return []
    draws = np.stack([each for *_, each in found], axis=1)
    own, spread = draws[0], np.nanstd(draws[1:], axis=0)
    away = np.divide(np.abs(draws[1:] - own), spread, out=np.zeros_like(draws[1:]), where=spread > EDGE)
    reach = np.nanquantile(np.nanmax(away, axis=1), 1 - LEVEL)
    reach *= stats.norm.isf(tail(drawn)) / stats.norm.isf(LEVEL / 2)
    rows = [
        {
            "factor": factor,
            "a": a,
            "b": b,
            "difference": float(value),
            "low": float(value - reach * sd),
            "high": float(value + reach * sd),
            "apart": bool(abs(value) > reach * sd + EDGE),
        }
        for (factor, a, b, _), value, sd in zip(found, own, spread, strict=True)
    ]
    return sorted(rows, key=lambda row: -abs(row["difference"]))


def _pairs(known: Sequence[Said], factor: str, a: str | float, b: str | float) -> list[np.ndarray]:
    """What two ways say apart, for each two that differ in this choice alone."""
    by_rest: dict[tuple[str | float, ...], dict[str | float, np.ndarray]] = {}
    for one in known:
        rest = tuple(value for name, value in one.factors.items() if name != factor)
        by_rest.setdefault(rest, {})[one.factors[factor]] = one.draws
    return [ways[a] - ways[b] for ways in by_rest.values() if a in ways and b in ways]
