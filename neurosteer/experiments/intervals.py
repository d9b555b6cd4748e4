"""Means over tasks with 95 % bootstrap intervals. What is drawn are tasks: the sentences of one are much alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from neurosteer.seeds import seed_of
from neurosteer.studies.bootstrap import RESAMPLES, interval


@dataclass(frozen=True, eq=False)
class Means:
    """Mean over tasks, its interval, and how many tasks it is over; NaN where there are none (interval: one)."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    tasks: np.ndarray


def draws(tasks: int, seed: int) -> np.ndarray:
    """`[resample task]`: how often each task is in each resample; the first row is the tasks as they are."""
    rng = np.random.default_rng(seed_of(seed, "tasks", tasks))
    counts = rng.multinomial(tasks, np.full(tasks, 1 / tasks), size=RESAMPLES)
    return np.vstack([np.ones(tasks), counts]).astype(float)


def resampled(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Means over the first axis (tasks; NaN left out) for every row of `counts`: `[resample ...]`."""
    flat = values.reshape(len(values), -1)
    there = np.isfinite(flat)
    total, weight = counts @ np.where(there, flat, 0.0), counts @ there.astype(float)
    means = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    return means.reshape(len(counts), *values.shape[1:])


def task_means(values: np.ndarray, seed: int) -> Means:
    """Of `values [task ...]` over tasks, without those that are NaN."""
    means = resampled(values, draws(len(values), seed))
    tasks = np.isfinite(values).sum(axis=0)
    low, high = interval(means[1:])
    many = tasks > 1
    return Means(means[0], np.where(many, low, np.nan), np.where(many, high, np.nan), tasks)


@dataclass(frozen=True, eq=False)
class Trend:
    """Spearman of the layer and a mean over tasks, and its interval over tasks, by point."""

    rho: np.ndarray
    low: np.ndarray
    high: np.ndarray


def layer_trend(values: np.ndarray, seed: int) -> Trend:
    """Of `values [task layer point]`, layers ascending; NaN leaves a task out. 0 where all layers are alike."""
    layers = values.shape[1]
    means = resampled(values, draws(len(values), seed))  # resample layer point
    ranks = stats.rankdata(means, axis=1) - (layers + 1) / 2
    order = np.arange(layers) - (layers - 1) / 2
    size = np.sqrt((ranks**2).sum(axis=1) * (order**2).sum())
    rho = np.divide(np.einsum("rlp,l->rp", ranks, order), size, out=np.zeros_like(size), where=size > 0)
    return Trend(rho[0], *interval(rho[1:]))


def plain(value: float) -> float | None:
    """A float for JSON; None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None
