"""Entries of `find` made by hand: what the report is given, without any model."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest


def make_layer(number: int, n_layers: int, *, l0: bool, new_words: bool) -> dict[str, Any]:
    """One row with accuracies shaped like the real ones: low at the bottom, a plateau, a fall at the end."""
    height = math.sin(math.pi * (number + 2) / (n_layers + 3))
    topk = round(0.64 + 0.13 * height, 4)
    mask = {"lambda": 0.2, "kept": 0.12, "accuracy": round(0.84 + 0.1 * height, 4), "reached": number != 3}
    return {
        "layer": number,
        "dense": round(0.85 + 0.1 * height, 4),
        "topk": topk,
        "topk_by_method": {"welch": topk},
        "random": {"mean": topk - 0.1, "low": topk - 0.14, "high": topk - 0.07},
        "l0": mask if l0 else None,
        "spearman": round(0.3 - 0.02 * number, 3) if l0 else None,
        "significant": 40 + 11 * number,
        "new_words": {"dense": 0.6 + 0.24 * height, "topk": 0.58 + 0.14 * height} if new_words else None,
    }


def make_entry(
    n_layers: int = 30, *, l0: bool = True, new_words: bool = True, k: int = 6, width: int = 576
) -> dict[str, Any]:
    """A whole entry, with or without the parts that may be null."""
    names = ("majority", "length", "last_word", "unigram", "stem", "bigram")
    seen = dict(zip(names, (0.5, 0.61, 0.995, 0.92, 0.93, 0.9775), strict=True))
    unseen = dict(zip(names, (0.5, 0.6, 0.5, 0.497, 0.505, 0.62), strict=True))
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
