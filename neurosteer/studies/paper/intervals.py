"""Means over tasks with 95 % bootstrap intervals. What is drawn are tasks: the sentences of one are much alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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


def plain(value: float) -> float | None:
    """A float for JSON; None for NaN and infinity."""
    return float(value) if np.isfinite(value) else None
