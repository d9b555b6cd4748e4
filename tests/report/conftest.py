"""Entries of `find` made by hand, and effects: what the report is given, without any model."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
from made_effects import make_doses, make_effect, make_full_effect, make_three

from neurosteer.results.effect import Dose, EffectResult


def make_layer(number: int, n_layers: int, *, l0: bool, new_words: bool) -> dict[str, Any]:
    """One row with accuracies shaped like the real ones: low at the bottom, a plateau, a fall at the end."""
    height = math.sin(math.pi * (number + 2) / (n_layers + 3))
    topk, dense = round(0.64 + 0.13 * height, 4), round(0.85 + 0.1 * height, 4)
    mask = {"lambda": 0.2, "kept": 0.12, "accuracy": round(0.84 + 0.1 * height, 4), "reached": number != 3}
    return {
        "layer": number,
        "dense": dense,
        "topk": topk,
        "topk_by_method": {"welch": topk},
        "random": {"mean": topk - 0.1, "low": topk - 0.14, "high": topk - 0.07},
        "l0": mask if l0 else None,
        "spearman": round(0.3 - 0.02 * number, 3) if l0 else None,
        "significant": 40 + 11 * number,
        "new_words": {"dense": 0.6 + 0.24 * height, "topk": 0.58 + 0.14 * height} if new_words else None,
        "intervals": {
            "dense": [dense - 0.02, dense + 0.01],
            "topk": [topk - 0.04, topk + 0.03],
            "topk_by_method": {"welch": [topk - 0.04, topk + 0.03]},
            "random": [topk - 0.12, topk - 0.08],
            "l0": [mask["accuracy"] - 0.02, mask["accuracy"] + 0.01] if l0 else None,
            "new_words_dense": [0.55 + 0.24 * height, 0.65 + 0.24 * height] if new_words else None,
            "new_words_topk": [0.53 + 0.14 * height, 0.63 + 0.14 * height] if new_words else None,
        },
    }


def make_entry(
    n_layers: int = 30, *, l0: bool = True, new_words: bool = True, k: int = 6, width: int = 576
) -> dict[str, Any]:
    """A whole entry, with or without the parts that may be null."""
    names = ("majority", "length", "last_word", "unigram", "stem", "bigram")
    seen: dict[str, Any] = dict(zip(names, (0.5, 0.61, 0.995, 0.92, 0.93, 0.9775), strict=True))
    unseen: dict[str, Any] = dict(zip(names, (0.5, 0.6, 0.5, 0.497, 0.505, 0.62), strict=True))
    seen["tokens"] = {"count": 0.59, "unigram": 0.915, "bigram": 0.985}
    unseen["tokens"] = {"count": 0.57, "unigram": 0.51, "bigram": 0.64}
    split = {"kind": "pair", "seed": 0, "train": 600, "validation": 200, "test": 200, "dropped": 0}
    return {
        "task": "intransitive",
        "data": {"source": "nyu-mll/blimp", "pairs": 1000, "digest": "d1", "split": split},
        "baselines": seen,
        "baselines_new_words": unseen if new_words else None,
        "layers": [make_layer(number, n_layers, l0=l0, new_words=new_words) for number in range(n_layers)],
        "best_layer": n_layers // 2,
        "k": k,
        "width": width,
        "methods": ["welch", "l0"] if l0 else ["welch"],
        "rankings": {"welch": "intransitive/welch.safetensors"},
        "neurons": {"welch": [{"layer": n_layers // 2, "unit": 7, "score": 4.5}]},
        "reading": "At layer 15 the top 6 units reach .77. On unseen words .84 remain.",
        "notices": [],
    }


@pytest.fixture
def entry_of() -> Callable[..., dict[str, Any]]:
    return make_entry


@pytest.fixture
def effect_of() -> Callable[..., EffectResult]:
    return make_effect


@pytest.fixture
def full_effect() -> EffectResult:
    return make_full_effect()


@pytest.fixture
def three_methods() -> list[EffectResult]:
    return make_three()


def make_compared(methods: tuple[str, ...] = ("welch", "l0", "attribution"), n_layers: int = 3) -> dict[str, Any]:
    """A `find` by several methods: with agreements and, where attribution is among them, predicted drops."""
    entry = make_entry(n_layers, new_words=False)
    entry["methods"] = list(methods)
    for layer in entry["layers"]:
        rows = [{"methods": list(pair), "overlap": 0.03, "chance": 0.07} for pair in combinations(methods, 2)]
        layer["agreement"] = [{**row, "spearman": 0.02 - 0.2 * place} for place, row in enumerate(rows)]
        layer["attribution"] = {"drop": 1.2 + layer["layer"]} if "attribution" in methods else None
    return entry


@pytest.fixture
def compared_of() -> Callable[..., dict[str, Any]]:
    return make_compared


@pytest.fixture
def doses_of() -> Callable[..., tuple[Dose, ...]]:
    return make_doses
