"""What all configurations say of a claim together: does it hold, fail, depend on the training, or is it not shown?

Each answers `up`, `down` or `not shown`, or it `cannot be judged`. That some are up and others not is no sign that
training matters: the same trend, near the edge of what can be shown, gives that too. It matters where configurations
contradict each other, or where their numbers differ by more than the same draws of tasks make likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float
from scipy import stats

from neurosteer.experiments.intervals import tail
from neurosteer.vocabulary import LEVEL

from .result import (
    ANSWERS,
    DEPENDS,
    DOWN,
    FACTORS,
    FAILS,
    HOLDS,
    NOT_SHOWN,
    UNJUDGED,
    UP,
    Answer,
    Claim,
    ClaimName,
    ClaimVerdict,
    Configuration,
    Factor,
    TrainingDifference,
    UpCount,
)
from .variants import STATES

EDGE = 1e-9  # what rounding makes of a difference of 0
Draws = Float[np.ndarray, "resample"]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one configuration answers to a claim, and the number behind it.

    `draws` is that number in every resample of the tasks; the first is of the tasks as they are.
    """

    configuration: Configuration
    answer: Answer
    draws: Draws


def answer_of(low: Float[np.ndarray, "point"], high: Float[np.ndarray, "point"]) -> Answer:
    """Whether intervals lie above 0, or below, at more than half of the points; NaN is a point without one."""
    half = len(low) / 2
    if np.isfinite(low).sum() <= half:
        return UNJUDGED
    return UP if (low > 0).sum() > half else DOWN if (high < 0).sum() > half else NOT_SHOWN


def judge(claim: ClaimName, every: Sequence[Measurement], drawn: int) -> Claim:
    """The verdict on a claim. `drawn`: how many phenomena or tasks are resampled."""
    crossed = [one for one in every if one.configuration.states in STATES]
    counts = {answer: sum(one.answer == answer for one in crossed) for answer in ANSWERS}
    known = [one for one in crossed if one.answer != UNJUDGED]
    found = differences([one for one in known if np.isfinite(one.draws[0])], drawn)
    verdict = _verdict(counts, any(one.apart for one in found))
    return Claim(
        claim=claim,
        verdict=verdict,
        text=f"{', '.join(f'{word} in {count}' for word, count in counts.items())} of {len(crossed)} ways",
        holds=counts[UP],
        of=len(known),
        up=counts[UP],
        down=counts[DOWN],
        not_shown=counts[NOT_SHOWN],
        unjudged=counts[UNJUDGED],
        configurations=len(crossed),
        by_choice={factor: _by_choice(known, factor) for factor in FACTORS},
        differences=found,
        depends_on=list(dict.fromkeys(one.factor for one in found if one.apart)) if verdict == DEPENDS else [],
    )


def _verdict(counts: Mapping[Answer, int], differ: bool) -> ClaimVerdict:
    up, down, known = counts[UP], counts[DOWN], counts[UP] + counts[DOWN] + counts[NOT_SHOWN]
    if known == 0 or known < counts[UNJUDGED]:
        return UNJUDGED
    if up == known:
        return HOLDS
    if up == 0 and down > known / 2:
        return FAILS
    return DEPENDS if up and (down or differ) else NOT_SHOWN


def _by_choice(known: Sequence[Measurement], factor: Factor) -> dict[str, UpCount]:
    found: dict[str, UpCount] = {}
    for one in known:
        choice = str(one.configuration.choice(factor))
        before = found.get(choice, UpCount(0, 0))
        found[choice] = UpCount(before.up + (one.answer == UP), before.of + 1)
    return found


def differences(known: Sequence[Measurement], drawn: int) -> list[TrainingDifference]:
    """Between each two choices of a factor, the largest first; none where too little is drawn for an interval.

    The mean over pairs of configurations that differ in this factor alone, all by the same draws of tasks. The
    intervals hold all at once in 95 % of cases: they reach as far as the largest of all differences, each by its own
    standard deviation, is off in 95 % of the resamples, and farther the fewer things are drawn.
    """
    found = [
        (factor, a, b, np.mean(pairs, axis=0))
        for factor in FACTORS
        for a, b in combinations(dict.fromkeys(one.configuration.choice(factor) for one in known), 2)
        if (pairs := _paired(known, factor, a, b))
    ]
    if not found or np.isnan(tail(drawn)):
        return []
    draws = np.stack([each for *_, each in found], axis=1)
    own, sds = draws[0], np.nanstd(draws[1:], axis=0)
    away = np.divide(np.abs(draws[1:] - own), sds, out=np.zeros_like(draws[1:]), where=sds > EDGE)
    reach = np.nanquantile(np.nanmax(away, axis=1), 1 - LEVEL)
    reach *= stats.norm.isf(tail(drawn)) / stats.norm.isf(LEVEL / 2)
    every = [
        TrainingDifference(
            factor=factor,
            a=a,
            b=b,
            difference=float(value),
            low=float(value - reach * sd),
            high=float(value + reach * sd),
            apart=bool(abs(value) > reach * sd + EDGE),
        )
        for (factor, a, b, _), value, sd in zip(found, own, sds, strict=True)
    ]
    return sorted(every, key=lambda one: -abs(one.difference))


def _paired(known: Sequence[Measurement], factor: Factor, a: str | float, b: str | float) -> list[Draws]:
    """Draws with choice `a` less those with `b`, of each two configurations that differ in this factor alone."""
    by_rest: dict[tuple[str | float, ...], dict[str | float, Draws]] = {}
    for one in known:
        rest = tuple(one.configuration.choice(other) for other in FACTORS if other != factor)
        by_rest.setdefault(rest, {})[one.configuration.choice(factor)] = one.draws
    return [draws[a] - draws[b] for draws in by_rest.values() if a in draws and b in draws]
