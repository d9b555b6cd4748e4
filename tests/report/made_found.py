"""Results of `find` made by hand: the report is tested with given numbers, without any model.

That such results could be real is tested in `test_real_results`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import Any

from neurosteer.pairs import Baselines, LeftOut
from neurosteer.pairs.baselines import TokenBaselines
from neurosteer.results import (
    Agreement,
    BaselineIntervals,
    FindData,
    FindIntervals,
    FindLayer,
    FindResult,
    Interval,
    MaskedProbe,
    NewWords,
    PredictedDrop,
    RandomSets,
    RankedNeuron,
    SplitSizes,
    TokenIntervals,
)
from neurosteer.vocabulary import Method

METHODS: tuple[Method, ...] = ("welch", "l0")


def about(value: float, below: float, above: float) -> Interval:
    """An interval that lies about a value."""
    return value - below, value + above


def make_layer(number: int, n_layers: int, *, l0: bool, new_words: bool) -> FindLayer:
    """One row with accuracies shaped like the real ones: low at the bottom, a plateau, a fall at the end."""
    height = math.sin(math.pi * (number + 2) / (n_layers + 3))
    topk, dense, masked = (round(low + rise * height, 4) for low, rise in ((0.64, 0.13), (0.85, 0.1), (0.84, 0.1)))
    new = NewWords(dense=0.6 + 0.24 * height, topk=0.58 + 0.14 * height) if new_words else None
    methods = METHODS if l0 else METHODS[:1]
    return FindLayer(
        layer=number,
        dense=dense,
        topk=topk,
        topk_by_method=dict.fromkeys(methods, topk),
        random=RandomSets(mean=topk - 0.1, low=topk - 0.14, high=topk - 0.07),
        l0=MaskedProbe(lam=0.2, kept=0.12, accuracy=masked, reached=number != 3) if l0 else None,
        spearman=round(0.3 - 0.02 * number, 3) if l0 else None,
        significant=40 + 11 * number,
        new_words=new,
        l2=0.1,
        intervals=FindIntervals(
            dense=about(dense, 0.02, 0.01),
            topk=about(topk, 0.04, 0.03),
            topk_by_method=dict.fromkeys(methods, about(topk, 0.04, 0.03)),
            random=about(topk - 0.1, 0.02, 0.02),
            l0=about(masked, 0.02, 0.01) if l0 else None,
            new_words_dense=about(new.dense, 0.05, 0.05) if new else None,
            new_words_topk=about(new.topk, 0.05, 0.05) if new else None,
        ),
    )


def make_found(
    n_layers: int = 30,
    *,
    l0: bool = True,
    new_words: bool = True,
    topk: int = 6,
    width: int = 576,
    methods: tuple[Method, ...] | None = None,
) -> FindResult:
    """A whole result, with or without the parts that may be missing."""
    methods = methods or (METHODS if l0 else METHODS[:1])
    best = n_layers // 2
    seen = Baselines(0.5, 0.61, 0.995, 0.92, 0.93, 0.9775, TokenBaselines(0.59, 0.915, 0.985))
    unseen = Baselines(0.5, 0.6, 0.5, 0.497, 0.505, 0.62, TokenBaselines(0.57, 0.51, 0.64))
    wide = BaselineIntervals(None, *[(0.4, 1.0)] * 5, TokenIntervals(*[(0.4, 1.0)] * 3))
    split = SplitSizes(kind="pair", seed=0, train=600, validation=200, test=200, dropped=0)
    return FindResult(
        task="intransitive",
        phenomenon="argument_structure",
        data=FindData(
            source="nyu-mll/blimp",
            pairs=1000,
            digest="d1",
            left_out=LeftOut(),
            both_ways=0,
            split=split,
            split_new_words=None,
        ),
        site="resid_post",
        position="eos",
        width=width,
        baselines=seen,
        baselines_intervals=wide,
        baselines_new_words=unseen if new_words else None,
        baselines_new_words_intervals=wide if new_words else None,
        layers=tuple(make_layer(number, n_layers, l0=l0, new_words=new_words) for number in range(n_layers)),
        best_layer=best,
        best_layers=dict.fromkeys(methods, best),
        topk=topk,
        methods=methods,
        random_equivalent=6.4,
        random_equivalent_interval=(4.1, 9.6),
        rankings={"welch": "intransitive/welch.safetensors"},
        neurons={"welch": (RankedNeuron(best, 7, 4.5),)},
        notices=(),
        interpretation="At layer 15 the top 6 units reach .77. On unseen words .84 remain.",
    )


def with_layer(found: FindResult, place: int, **changes: Any) -> FindResult:
    """The same with changes to the layer at a place."""
    layers = list(found.layers)
    layers[place] = replace(layers[place], **changes)
    return replace(found, layers=tuple(layers))


def without_words(found: FindResult) -> FindResult:
    """The same of a script that does not part words by spaces."""
    nothing = dict.fromkeys(("length", "last_word", "unigram", "stem", "bigram"))
    return replace(found, baselines=replace(found.baselines, **nothing))


def make_compared(methods: tuple[Method, ...] = ("welch", "l0", "attribution"), n_layers: int = 3) -> FindResult:
    """A `find` by several methods: with agreements and, where attribution is among them, predicted drops."""
    found = make_found(n_layers, new_words=False, methods=methods)
    agreement = tuple(
        Agreement(methods=pair, spearman=0.02 - 0.2 * place, overlap=0.03, chance=0.07)
        for place, pair in enumerate(combinations(methods, 2))
    )
    for place, layer in enumerate(found.layers):
        drop = PredictedDrop(1.2 + layer.layer) if "attribution" in methods else None
        found = with_layer(found, place, agreement=agreement, attribution=drop)
    return found
