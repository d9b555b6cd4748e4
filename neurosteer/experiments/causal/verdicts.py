"""The declared families of a method, each tested as one, and what is concluded.

own: does ablating a task's own neurons change its margin more than ablating matched controls does?
other: the same on the other tasks. A source's controls are the same on all of them, so one is drawn for them all.
search: own neurons against those that the same search finds where good and bad are exchanged by lot.

All are two-sided. Tasks without a clean preference have nothing to lose and are left out, and so are empty sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from neurosteer.seeds import seed_of
from neurosteer.vocabulary import FEWEST_CONTROLS

from .families import DRAWS, FamilyTest, detectable, permuted
from .measured import Measured

Row = dict[str, Any]
BESIDE: Mapping[str, str] = {"own": "matched controls", "other": "matched controls", "search": "null sets"}
EMPTY: Row = dict.fromkeys(
    ("mean", "controls_mean", "beyond", "null_low", "null_high", "p", "share_lost", "detectable")
)


@dataclass(frozen=True, eq=False)
class Family:
    """What is tested together: a stratum is a task, and the mean over strata is the mean over cells."""

    changes: Float[np.ndarray, "stratum set"]  # the chosen set first
    margins: Float[np.ndarray, "stratum"]  # clean ones
    cells: int
    nothing_to_lose: int  # cells left out
    empty: int  # cells left out besides


def family_rows(measured: Measured, method: str, seed: int) -> list[Row]:
    """A row for each family of a method; `search` only where searches were exchanged."""
    families = {"own": own_family(measured, method), "other": other_family(measured, method)}
    if measured.nulls[method].shape[1]:
        families["search"] = search_family(measured, method)
    return [
        {"method": method, "family": name, **family_numbers(family, BESIDE[name], seed_of(seed, method, name))}
        for name, family in families.items()
    ]


def own_family(measured: Measured, method: str) -> Family:
    return _of_tasks(measured, np.diagonal(measured.changes[method]).T)


def search_family(measured: Measured, method: str) -> Family:
    own = np.diagonal(measured.changes[method]).T[:, :1]
    return _of_tasks(measured, np.concatenate([own, measured.nulls[method]], axis=1))


def _of_tasks(measured: Measured, changes: Float[np.ndarray, "task set"]) -> Family:
    there, preferred = np.isfinite(changes[:, 0]), measured.preferred
    kept = there & preferred
    counts = int(kept.sum()), int((~preferred).sum()), int((preferred & ~there).sum())
    return Family(changes[kept], measured.margins[kept], *counts)


def other_family(measured: Measured, method: str) -> Family:
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
    return Family(sums * weight, margins * weight, int(cells.sum()), *lacking)


def family_numbers(family: Family, beside: str, seed: int) -> Row:
    """The numbers of a family, the smallest loss that it would have shown, and the verdict in words."""
    strata = len(family.margins)
    sets = family.changes.shape[1] if strata else 0
    counts: Row = {
        "tasks": strata,
        "cells": family.cells,
        "nothing_to_lose": family.nothing_to_lose,
        "empty": family.empty,
        "sets": sets,
        "draws": min(DRAWS, sets**strata),
    }
    if not strata:
        return {**counts, **EMPTY, "verdict": "nothing to test"}
    found = permuted(family.changes, seed)
    margin, beyond = float(family.margins.mean()), found.mean - found.controls_mean
    least = detectable(family.changes[:, 1:], family.margins, seed)
    few = sets <= FEWEST_CONTROLS  # then neither p nor what would have been found says anything
    numbers: Row = {
        "mean": found.mean,
        "controls_mean": found.controls_mean,
        "beyond": beyond,
        "null_low": found.null_low,
        "null_high": found.null_high,
        "p": None if few else found.p,
        "share_lost": -beyond / margin,
        "detectable": None if few else least,
    }
    return {**counts, **numbers, "verdict": verdict(sets, found, least, beside)}


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
