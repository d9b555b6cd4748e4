"""How many random units are worth some chosen ones?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def random_sizes(k: int, width: int) -> tuple[int, ...]:
    """Sizes of random sets held against `k` chosen units: k doubled as far as units remain, and all that remain."""
    rest = width - k
    sizes = [k * 2**i for i in range(width.bit_length()) if k * 2**i < rest]
    return (*sizes, rest) if rest > 0 else ()


def matching_size(goal: np.ndarray, means: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The number of random units at which the accuracies `means[..., size]` first reach `goal[...]`.

    Interpolated linearly between sizes; the smallest size where that already reaches it, infinity where none does.
    """
    goal, means, at = np.asarray(goal, float), np.asarray(means, float), np.asarray(sizes, float)
    if not len(at):
        return np.full(goal.shape, np.inf)
    reached = means >= goal[..., None]
    first = np.where(reached.any(-1), reached.argmax(-1), -1)
    upper, lower = np.maximum(first, 0), np.maximum(first - 1, 0)
    low, high = (np.take_along_axis(means, i[..., None], -1)[..., 0] for i in (lower, upper))
    share = np.divide(goal - low, high - low, out=np.zeros_like(goal), where=upper > lower)
    return np.where(first < 0, np.inf, at[lower] + share * (at[upper] - at[lower]))
