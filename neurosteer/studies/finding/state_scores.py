"""Rankings that no probe has to be fitted for: what the states of the train pairs say of every unit."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.probes import Welch, welch
from neurosteer.vocabulary import Method

Scores = dict[Method, Float[Tensor, "layer unit"]]


def state_scores(
    states: Float[Tensor, "pair side layer unit"], train: Sequence[int], test: Welch, methods: Collection[Method]
) -> Scores:
    """The scores of those of the methods that read states alone; `test` is Welch's of the same pairs.

    Good and bad sentences are equally many, so the means lie `|t| sqrt(2 / pairs)` pooled standard deviations apart:
    `mean-diff` ranks as `welch` does, and unlike it can be compared between tasks of different sizes.
    """
    scores: Scores = {}
    if "welch" in methods:
        scores["welch"] = test.t.abs().float()
    if "mean-diff" in methods:
        scores["mean-diff"] = (test.t.abs() * math.sqrt(2 / len(train))).float()
    if "localizer" in methods:
        layers = range(states.shape[2])  # one by one: they may not fit into memory
        sizes = [welch(states[:, :, layer : layer + 1][list(train)].abs(), range(len(train))).t for layer in layers]
        scores["localizer"] = torch.cat(sizes).float()
    return scores
