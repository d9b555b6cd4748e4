"""R1: equal to Hugging Face: logits, EOS states and log-probabilities of 200 sentences, by four architectures.

The largest differences in float32: logits and EOS states 1e-5, log-probabilities 1e-4 nat, and the same decision
wherever the margin exceeds 1e-3. On real weights 1e-4 of the size of what is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plain_edits import KINDS, hf_logprobs
from tiny_models import hf_network, hf_states, ids_of, random_pairs, sentences_of
from torch import Tensor

from neurosteer.forward import eos_states, score
from neurosteer.model import Model
from neurosteer.pairs import load_pairs

PAIRS = random_pairs(100)
SENTENCES = sentences_of(PAIRS)


def same_decisions(ours: Tensor, theirs: Tensor) -> bool:
    sure = theirs.abs() > 1e-3
    return bool(sure.any()) and torch.equal(ours[sure] > 0, theirs[sure] > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_logits(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    network = hf_network(tiny_folder(kind))
    for sentence in SENTENCES[::8]:
        tokens = torch.tensor([ids_of(sentence)])
        theirs = network(tokens).logits
        assert theirs.std() > 0.1
        assert (tiny(kind).bridge(tokens) - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_eos_states(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    theirs = hf_states(hf_network(tiny_folder(kind)), [ids_of(sentence) for sentence in SENTENCES])
    ours = eos_states(tiny(kind), PAIRS, cache=False).values.flatten(0, 1)
    assert theirs.abs().mean() > 0.1
    assert (ours - theirs).abs().max() < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_pair_log_probabilities(kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]):
    network = hf_network(tiny_folder(kind))
    theirs = torch.stack([hf_logprobs(network, ids_of(sentence, eos=None)).sum() for sentence in SENTENCES])
    theirs = theirs.reshape(-1, 2)
    scores = score(tiny(kind), PAIRS)
    assert (scores.logprob - theirs).abs().max() < 1e-4
    assert same_decisions(scores.margin, theirs[:, 0] - theirs[:, 1])
    assert 0.2 < scores.accuracy < 0.8


def test_real_weights(builtin: Model, builtin_network: Any, blimp_sample: Path):
    """Log-probabilities, relative to their size; `test_states` compares the states."""
    pairs = load_pairs("distractor_agreement_relative_clause", source=str(blimp_sample)).limit(3)
    words = builtin.tokenizer(sentences_of(pairs), add_special_tokens=False)["input_ids"]
    theirs = torch.stack([hf_logprobs(builtin_network, [0, *ids]).sum() for ids in words]).reshape(-1, 2)
    scores = score(builtin, pairs)
    assert ((scores.logprob - theirs) / theirs).abs().max() < 1e-4
    assert same_decisions(scores.margin, theirs[:, 0] - theirs[:, 1])
