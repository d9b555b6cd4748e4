"""Log-probabilities token by token, against plain Hugging Face with our own hooks; what is kept of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from plain_edits import hf_edited, hf_logprobs, neurons_at
from tiny_models import BOS, hf_network, ids_of

from neurosteer.edits import Edit
from neurosteer.forward import pairs_of_texts, score
from neurosteer.model import Model
from neurosteer.pairs import Pairs
from neurosteer.studies import Effect, measure_effect
from neurosteer.studies.token_scores import TokenScores, most_changed, token_scores
from neurosteer.vocabulary import Convention

CHOSEN = [(0, 3), (1, 7), (1, 20)]
PAIRS = Pairs.from_lists(["w1 w2 w3 w4 w5", "w6 w7", "w8 w9 w10"], ["w1 w2 w4", "w6 w7 w8 w9", "w8 w10"])


def expected(network, bos=BOS) -> np.ndarray:
    """Of all tokens, one after the other."""
    texts = [text for pair in PAIRS for text in (pair.good, pair.bad)]
    return np.concatenate([hf_logprobs(network, ids_of(text, bos=bos, eos=None)).detach().numpy() for text in texts])


def every_token(model: Model, shown: list[int], convention: Convention = "sum") -> TokenScores:
    """Of the unedited model."""
    by_token = score(model, PAIRS, convention=convention).by_token[None].numpy()
    return token_scores(model, PAIRS, pairs_of_texts(model, PAIRS, convention), by_token, shown)


def test_every_token_unedited_and_at_every_dose(tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    model, network = tiny("llama"), hf_network(tiny_folder("llama"))
    edit = Edit.ablate(neurons_at(model, CHOSEN))
    found = measure_effect(model, PAIRS, edit, controls=0, scales=(0.0, 1.0, 2.0)).tokens
    assert found is not None
    assert found.scales == (0.0, 2.0)
    assert found.counts.tolist() == [[5, 3], [2, 4], [3, 2]]
    assert found.texts[:8] == ("w1", "w2", "w3", "w4", "w5", "w1", "w2", "w4")
    np.testing.assert_allclose(found.logprobs[0], expected(network), atol=1e-4)
    for row, factor in ((1, 0.0), (2, 2.0)):
        with hf_edited(network, "llama", CHOSEN, lambda _l, _u, _d, old, by=factor: old * by):
            np.testing.assert_allclose(found.logprobs[row], expected(network), atol=1e-4)
    assert np.abs(found.logprobs[1] - found.logprobs[0]).max() > 1e-3


def test_the_first_token_is_left_out_where_nothing_stands_before_it(tiny, tiny_folder):
    found = every_token(tiny("llama"), [0, 1, 2], convention="minicons")
    assert found.counts.tolist() == [[4, 2], [1, 3], [2, 1]]
    np.testing.assert_allclose(found.logprobs[0], expected(hf_network(tiny_folder("llama")), bos=None), atol=1e-4)


def test_they_are_saved_with_the_effect(tiny, tmp_path):
    effect = measure_effect(tiny("llama"), PAIRS, Edit.ablate(neurons_at(tiny("llama"), CHOSEN)), controls=0)
    effect.save(tmp_path / "mine")
    again = Effect.load(tmp_path / "mine").tokens
    assert isinstance(again, TokenScores)
    assert (again.texts, again.pairs, again.scales) == (effect.tokens.texts, effect.tokens.pairs, (0.0,))
    assert np.array_equal(again.logprobs, effect.tokens.logprobs)


def test_the_pairs_that_change_most():
    assert most_changed(np.array([1.0, 3.0, 2.0]), 2) == [1, 2]
    assert most_changed(np.zeros(3), 4) == [0, 1, 2]


def test_some_pairs_of_all(tiny, tiny_folder):
    """Those asked for, in their order."""
    every, found = (every_token(tiny("llama"), shown) for shown in ([0, 1, 2], [0, 2]))
    assert (found.pairs, found.counts.tolist()) == (("0", "2"), [[5, 3], [3, 2]])
    assert found.texts == (*every.texts[:8], *every.texts[14:])
    assert np.array_equal(found.logprobs, np.delete(every.logprobs, range(8, 14), axis=1))
