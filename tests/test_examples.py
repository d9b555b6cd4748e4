"""The examples in the docstrings of pairs/, neurons/ and two modules beside them give what they say."""

from __future__ import annotations

import doctest
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import neurosteer
from neurosteer import neurons, pairs
from neurosteer.data import UnitStats
from neurosteer.model import Model
from neurosteer.neurons import Ranking

PACKAGE = Path(neurosteer.__file__).parent
MODULES = [
    f"neurosteer.{room}.{path.stem}"
    for room in ("neurons", "pairs")
    for path in sorted((PACKAGE / room).glob("*.py"))
] + ["neurosteer.arguments", "neurosteer.shown"]
WITH_EXAMPLES = {
    *("neurosteer.arguments", "neurosteer.shown"),
    *(f"neurosteer.neurons.{name}" for name in ("compare", "controls", "ranking", "sets", "stats", "topk")),
    *(f"neurosteer.pairs.{name}" for name in ("baselines", "known", "load", "pair", "types")),
}
LAYERS, WIDTH = 3, 32


def toy_ranking() -> Ranking:
    """Of a few units that score, best at layer 1."""
    draw = torch.Generator().manual_seed(0)
    scores = torch.rand(LAYERS, WIDTH, generator=draw)
    for layer, unit, score in [(1, 23, 9.0), (1, 9, 8.0), (0, 7, 7.0), (1, 4, 6.0)]:
        scores[layer, unit] = score
    values = torch.rand(4, LAYERS, WIDTH, generator=draw)
    stats = UnitStats(*values, tokens=100, layers=tuple(range(LAYERS)))
    return Ranking(scores, 1, "welch", stats, "m", "resid_post", {"task": "toy"})


def tried(module: ModuleType, **given: object) -> int:
    """How many examples there are. They use the names of their room, and those given."""
    names = {name: getattr(pairs, name) for name in pairs.__all__} | vars(neurons) | given
    results = doctest.testmod(module, extraglobs=names, optionflags=doctest.ELLIPSIS)
    assert results.failed == 0
    return results.attempted


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, llama: Model):
    count = tried(import_module(name), ranking=toy_ranking(), model=replace(llama, name="tiny"), torch=torch, np=np)
    assert count > 0 or name not in WITH_EXAMPLES


def test_a_wrong_example_is_noticed():
    wrong = ModuleType("wrong")
    wrong.__doc__ = ">>> 1 + 1\n3"
    with pytest.raises(AssertionError):
        tried(wrong)
