"""The effect of an edit by other conventions of scoring: against plain Hugging Face with our own hooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plain_edits import hf_edited, hf_logprobs, neurons_at
from tiny_models import BOS, hf_network, ids_of

from neurosteer.edits import Edit
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.studies import measure_effect

CHOSEN = [(0, 3), (1, 7), (1, 20)]
PAIRS = Pairs.from_lists(
    ["w1 w2 w3 w4 w5", "w6 w7", "w8 w9 w10", "w11 w12 w13 w14"],
    ["w1 w2 w4", "w6 w7 w8 w9", "w8 w10", "w11 w12 w14 w13"],
)  # of unequal lengths, in which a mean and a sum differ


@pytest.mark.parametrize(
    ("convention", "bos", "reduced"), [("sum", BOS, np.sum), ("mean", BOS, np.mean), ("minicons", None, np.mean)]
)
def test_margins(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path], convention, bos, reduced):
    """minicons adds only what the tokenizer adds: nothing here. So the first token is not scored, but edited."""
    model, network = tiny("llama"), hf_network(tiny_folder("llama"))

    def margin() -> float:
        sides = [[float(reduced(scored(text))) for text in (pair.good, pair.bad)] for pair in PAIRS]
        return float(np.mean([good - bad for good, bad in sides]))

    def scored(text: str) -> np.ndarray:
        return hf_logprobs(network, ids_of(text, bos=bos, eos=None)).detach().numpy()

    effect = measure_effect(
        model, PAIRS, Edit.ablate(neurons_at(model, CHOSEN)), controls=0, convention=convention, neutral=None
    )
    assert effect.margin.before == pytest.approx(margin(), abs=1e-4)
    with hf_edited(network, "llama", CHOSEN, lambda _l, _u, _d, _o: 0.0, acts=lambda depth: bos is None or depth > 0):
        assert effect.margin.after == pytest.approx(margin(), abs=1e-4)
    assert abs(effect.margin.delta) > 1e-3
    assert effect.convention == (None if convention == "sum" else convention)
    assert any("per token" in notice for notice in effect.notices) == (convention != "sum")
