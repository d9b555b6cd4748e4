"""A permutation test of changes that are tested together, and the smallest loss that it would have found.

Each stratum (a task) has a chosen set and its controls. If the chosen set were one more like them, each of them would
as well stand in its place: so in each stratum one of all is drawn, and the mean over strata is taken again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from neurosteer.seeds import seed_of
from neurosteer.vocabulary import LEVEL, POWER

DRAWS = 100_000
BATCH = 10_000  # draws in memory at once
TRIALS, PERMUTATIONS = 400, 1999  # of the simulation that finds what would have been detected
MOST = 64.0  # times the whole margin: no larger loss is tried
STEPS = 14  # halvings of the interval in which the smallest one lies
TIE = 1e-9  # values that differ by less than this share of their size are equal


@dataclass(frozen=True)
class FamilyTest:
    """The chosen sets' mean over strata, that of the controls, and a two-sided p.

    `null_low` and `null_high` are the ends of the middle 95 % of what the choices gave: where the mean would lie if
    the chosen sets were like the others.
    """

    mean: float
    controls_mean: float
    null_low: float
    null_high: float
    p: float

    @property
    def significant(self) -> bool:
        return self.p <= LEVEL + 1e-12


def permuted(changes: Float[np.ndarray, "stratum set"], seed: int, *, draws: int = DRAWS) -> FamilyTest:
    """Test the first column against the others: p is the share of choices at least as far from the mean of all.

    The mean over strata is what counts; a choice takes one column in each stratum. Where there are no more of them
    than `draws` all are taken; else as many are drawn, and the columns as they are count as one more.
    """
    strata, sets = changes.shape
    rows = np.arange(strata)
    if sets**strata <= draws:
        found, more = changes[rows, _all_choices(sets, strata)].mean(axis=1), 0
    else:
        rng = np.random.default_rng(seed_of(seed, "permutation"))
        sizes = [min(BATCH, draws - start) for start in range(0, draws, BATCH)]
        found = np.concatenate([changes[rows, rng.integers(0, sets, (size, strata))].mean(axis=1) for size in sizes])
        more = 1
    own, middle = changes[:, 0].mean(), changes.mean()
    far = at_least(np.abs(found - middle), np.abs(own - middle), np.abs(changes).max())
    low, high = np.percentile(found, (2.5, 97.5))
    p = (more + int(far.sum())) / (more + len(found))
    return FamilyTest(float(own), float(changes[:, 1:].mean()), float(low), float(high), p)


def _all_choices(sets: int, strata: int) -> Int[np.ndarray, "choice stratum"]:
    """Every way to take one of the sets in each stratum; the first takes the first everywhere."""
    return np.indices((sets,) * strata).reshape(strata, -1).T


def detectable(
    controls: Float[np.ndarray, "stratum control"],
    margins: Float[np.ndarray, "stratum"],
    shared: Float[np.ndarray, "stratum control"],
    seed: int,
) -> float | None:
    """The smallest share of the margins whose loss the test would have found in 80 % of cases, or None.

    Simulated: in each stratum one control (drawn at random, or each in turn where strata are few) plays the set once
    more, shifted by that share of the stratum's clean margin; a control that holds a part of the set's neurons
    (`shared`, in [0, 1]) is shifted by that part of it. The test is that of `permuted`, at the 5 % level.
    """
    strata, n = controls.shape
    rng, rows = np.random.default_rng(seed_of(seed, "power")), np.arange(strata)
    whole = (n + 1) ** strata <= PERMUTATIONS
    players = _all_choices(n, strata) if whole else rng.integers(0, n, (TRIALS, strata))
    played = controls[rows, players]
    drawn = _all_choices(n + 1, strata) if whole else rng.integers(0, n + 1, (PERMUTATIONS, strata))
    own = drawn == 0
    others = np.where(own, 0.0, controls[rows, drawn - 1]).sum(axis=1) / strata
    simulated = _Simulated(
        own=played.mean(axis=1),
        middle=(controls.sum() + played.sum(axis=1)) / (strata * (n + 1)),
        drawn=others + played @ own.T / strata,
        lost=np.where(own, 1.0, shared[rows, drawn - 1]) @ margins / strata,
        margin=float(margins.mean()),
        lost_by_all=float(margins @ (1 + shared.sum(axis=1))) / (strata * (n + 1)),
        more=0 if whole else 1,
    )
    most = 1.0
    while simulated.power(most) < POWER:
        most *= 2
        if most > MOST:
            return None
    low, high = 0.0, most
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if simulated.power(middle) >= POWER else (middle, high)
    return high


@dataclass(frozen=True, eq=False)
class _Simulated:
    """Trials in which the set is one more like its controls, before anything is lost."""

    own: Float[np.ndarray, "trial"]
    middle: Float[np.ndarray, "trial"]  # mean of all sets
    drawn: Float[np.ndarray, "trial draw"]
    lost: Float[np.ndarray, "draw"]  # what a draw loses when the set loses the whole margin
    margin: float
    lost_by_all: float  # what the mean of all sets loses then
    more: int  # 1 where choices are drawn: the columns as they are count as one more

    def power(self, share: float) -> float:
        """How often the test finds a loss of this share of the margin."""
        own = self.own - share * self.margin
        middle = self.middle - share * self.lost_by_all
        apart = np.abs(self.drawn - share * self.lost - middle[:, None])
        far = at_least(apart, np.abs(own - middle)[:, None], np.abs(apart).max())
        p = (self.more + far.sum(axis=1)) / (self.more + far.shape[1])
        return float((p <= LEVEL + 1e-12).mean())


def at_least(values: np.ndarray, bound: np.ndarray | float, size: float) -> Bool[np.ndarray, "..."]:
    """Which values reach the bound; one that misses it by rounding does."""
    return np.asarray(values >= bound - TIE * max(float(size), 1e-300))
