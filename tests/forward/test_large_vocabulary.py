"""A large vocabulary is unembedded in parts: the same log-probabilities, divergences and gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plain_edits import hf_logprobs, neurons_at
from sizes import all_slow_but
from tiny_models import hf_network, ids_of, random_pairs, sentences_of

from neurosteer.edits import Edit
from neurosteer.forward import PreparedEdit, pairs_of_texts, score, score_texts, variant_of
from neurosteer.forward.attribution import attribute
from neurosteer.model import Model, capture, load_model, next_logits

PAIRS = random_pairs(10)
KINDS = ("llama", "gpt2", "neox", "gemma3", "bloom")


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The 64 words of the tiny models count as many; seven picks are a part. Lists the sizes of the parts read."""
    sizes: list[int] = []
    before = next_logits.NextLogits.read

    def read(self, start, end, what):  # type: ignore[no-untyped-def]
        sizes.append(end - start)
        return before(self, start, end, what)

    monkeypatch.setattr(next_logits, "WHOLE", 63)
    monkeypatch.setattr(next_logits, "PART", 7 * 64)
    monkeypatch.setattr(next_logits.NextLogits, "read", read)
    return sizes


@pytest.mark.parametrize("kind", all_slow_but(["llama", "bloom"], KINDS))
def test_scores_are_those_of_plain_hugging_face(kind: str, in_parts: list[int], tiny_folder: Callable[[str], Path]):
    network = hf_network(tiny_folder(kind))
    found = score(load_model(tiny_folder(kind)), PAIRS).logprob.flatten()
    expected = [hf_logprobs(network, ids_of(sentence, eos=None)).sum() for sentence in sentences_of(PAIRS)]
    torch.testing.assert_close(found, torch.stack(expected).double(), rtol=0, atol=1e-4)
    assert max(in_parts) == 7
    assert len(in_parts) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_edits_and_their_divergence(kind: str, tiny: Callable[[str], Model], request: pytest.FixtureRequest):
    model = tiny(kind)
    edit = Edit.ablate(neurons_at(model, [(1, 3), (2, 8)]))
    variants: list[PreparedEdit] = [variant_of(model, edit)]
    groups = pairs_of_texts(model, PAIRS, "sum")
    whole = score_texts(model, groups, variants, divergence=True)
    request.getfixturevalue("in_parts")
    parts = score_texts(model, groups, variants, divergence=True)
    assert whole.kl is not None
    assert parts.kl is not None
    assert float(whole.kl) > 1e-3
    torch.testing.assert_close(parts.edited, whole.edited, rtol=0, atol=1e-4)
    torch.testing.assert_close(parts.kl, whole.kl, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind: str, tiny: Callable[[str], Model], request: pytest.FixtureRequest):
    here = {"site": "resid_post", "layers": [0, 2], "cache": False}
    whole = attribute(tiny(kind), PAIRS, **here)
    sizes = request.getfixturevalue("in_parts")
    parts = attribute(tiny(kind), PAIRS, **here)
    assert max(sizes) == 7
    scale = float(whole.product.abs().max())
    torch.testing.assert_close(parts.product, whole.product, rtol=1e-4, atol=1e-5 * scale)


def test_parts_may_be_read_while_the_model_is_captured(tiny: Callable[[str], Model], in_parts: list[int]):
    """The hook that picks nodes must leave the picked ones alone."""
    model, tokens = tiny("llama"), torch.tensor([ids_of("w3 w1 w4 w1 w5 w9 w2 w6 w5", eos=None)])
    every = torch.zeros(tokens.shape[1], dtype=torch.long), torch.arange(tokens.shape[1])
    with capture(model, "resid_post", [], lambda _layer, _values: None) as one_pass:
        found = one_pass(tokens, at=every)
        assert found is not None
        inside = found.whole()
    torch.testing.assert_close(inside, model.bridge(tokens)[0], rtol=0, atol=1e-4)
    assert torch.equal(found.whole(), inside)


def test_a_small_vocabulary_stays_whole():
    """Results of runs that go on depend on it bit for bit: the built-in model has 49,152 words."""
    assert next_logits.part_size(49_152) is None
    assert next_logits.part_size(65_536) is None
    assert next_logits.part_size(262_144) == 32
