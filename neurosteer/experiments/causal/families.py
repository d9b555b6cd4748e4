"""The declared families of a method, each tested as one, and what is concluded.

own: does ablating a task's own neurons change its margin more than ablating matched controls does?
other: the same on the other tasks. A source's controls are the same on all of them, so one is drawn for them all.
search: own neurons against those that the same search finds where good and bad are exchanged at random.

All are two-sided. A search whose null sets are smaller than the own ones is not tested. Tasks without a clean
preference have nothing to lose and are left out, and so are empty sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from neurosteer.experiments.intervals import plain
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import FEWEST_CONTROLS, CausalMethod

from .measured import MeasuredCells
from .permutation import DRAWS, FamilyTest, detectable, permuted
from .result import Family, FamilyName

BESIDE: Mapping[FamilyName, str] = {"own": "matched controls", "other": "matched controls", "search": "null sets"}
ALIKE = 0.9  # sets that hold fewer neurons than this, in those of the chosen ones, disturb less for that alone
NO_TEST = FamilyTest(*(np.nan,) * 5)


@dataclass(frozen=True, eq=False)
class Strata:
    """What is tested together: a stratum is a task, and the mean over strata is the mean over cells."""

    changes: Float[np.ndarray, "stratum set"]  # the chosen set first
    shared: Float[np.ndarray, "stratum other"]  # part of the chosen set's neurons that each other set holds too
    margins: Float[np.ndarray, "stratum"]  # clean ones
    cells: int
    nothing_to_lose: int  # cells left out
    empty: int  # cells left out besides
    size: float = 1.0  # neurons of the other sets, in those of the chosen ones, on average


def family_rows(measured: MeasuredCells, method: CausalMethod, seed: int) -> list[Family]:
    """Each family of a method; `search` only where searches were exchanged."""
    families: dict[FamilyName, Strata] = {
        "own": own_cells(measured, method),
        "other": other_cells(measured, method),
    }
    if measured.nulls[method].shape[1]:
        families["search"] = searches(measured, method)
    return [family_row(strata, method, name, seed) for name, strata in families.items()]


def own_cells(measured: MeasuredCells, method: CausalMethod) -> Strata:
    return _of_tasks(measured, np.diagonal(measured.changes[method]).T, measured.likeness[method].controls)


def searches(measured: MeasuredCells, method: CausalMethod) -> Strata:
    own = np.diagonal(measured.changes[method]).T[:, :1]
    changes, likeness = np.concatenate([own, measured.nulls[method]], axis=1), measured.likeness[method]
    found = _of_tasks(measured, changes, likeness.nulls)
    sizes = likeness.null_sizes[np.isfinite(own[:, 0]) & measured.preferred]
    return replace(found, size=float(sizes.mean())) if sizes.size else found


def _of_tasks(
    measured: MeasuredCells, changes: Float[np.ndarray, "task set"], shared: Float[np.ndarray, "task other"]
) -> Strata:
    there, preferred = np.isfinite(changes[:, 0]), measured.preferred
    kept = there & preferred
    counts = int(kept.sum()), int((~preferred).sum()), int((preferred & ~there).sum())
    return Strata(changes[kept], shared[kept], measured.margins[kept], *counts)


def other_cells(measured: MeasuredCells, method: CausalMethod) -> Strata:
    """A stratum is a source; the sum over its cells counts, so that each cell weighs the same."""
    changes, tasks = measured.changes[method], len(measured.tasks)
    there, preferred = np.isfinite(changes[:, 0, 0]), measured.preferred
    off = ~np.eye(tasks, dtype=bool)
    cells = off & preferred & there[:, None]
    strata = np.flatnonzero(cells.any(axis=1))
    weight = len(strata) / max(int(cells.sum()), 1)
    sums = np.stack([changes[i, cells[i]].sum(axis=0) for i in strata]) if len(strata) else np.zeros((0, 0))
    margins = np.array([measured.margins[cells[i]].sum() for i in strata])
    lacking = int((off & ~preferred).sum()), int((off & preferred & ~there[:, None]).sum())
    shared = measured.likeness[method].controls[strata]
    return Strata(sums * weight, shared, margins * weight, int(cells.sum()), *lacking)


def family_row(strata: Strata, method: CausalMethod, name: FamilyName, seed: int) -> Family:
    """A family's numbers, the smallest loss that it would have shown, and the verdict in words."""
    count = len(strata.margins)
    sets = strata.changes.shape[1] if count else 0
    unlike = strata.size < ALIKE
    few = sets <= FEWEST_CONTROLS or unlike  # then neither p nor what would have been found says anything
    seed = seed_of(seed, method, name)
    found = permuted(strata.changes, seed) if count else NO_TEST
    least = detectable(strata.changes[:, 1:], strata.margins, strata.shared, seed) if count else None
    margin = float(strata.margins.mean()) if count else np.nan
    beyond = found.mean - found.controls_mean
    return Family(
        method=method,
        family=name,
        tasks=count,
        cells=strata.cells,
        nothing_to_lose=strata.nothing_to_lose,
        empty=strata.empty,
        sets=sets,
        draws=min(DRAWS, sets**count),
        mean=plain(found.mean),
        controls_mean=plain(found.controls_mean),
        beyond=plain(beyond),
        null_low=plain(found.null_low),
        null_high=plain(found.null_high),
        p=None if few else plain(found.p),
        share_lost=plain(-beyond / margin),
        detectable=None if few else least,
        verdict="nothing to test"
        if not count
        else f"not tested: {BESIDE[name]} hold {100 * strata.size:.0f} % of as many neurons, on average"
        if unlike
        else verdict(sets, found, least, BESIDE[name]),
    )


def verdict(sets: int, found: FamilyTest, least: float | None, beside: str) -> str:
    """In one line."""
    if sets <= FEWEST_CONTROLS:
        return f"too few to tell: {sets - 1} {beside}, {FEWEST_CONTROLS} or more are wanted"
    if found.significant and found.mean < found.controls_mean:
        return f"the margin {'falls more' if found.mean < 0 else 'rises less'} than under {beside}"
    if found.significant:
        return f"the margin {'falls less' if found.mean < 0 else 'rises more'} than under {beside}"
    missed = (
        "nor would any loss have been shown"
        if least is None
        else f"a loss of {100 * least:.2g} % of the clean margin would have been (80 % power)"
    )
    return f"no difference from {beside} is shown; {missed}"
