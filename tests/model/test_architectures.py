"""Many architectures, beside plain Hugging Face: the states of all blocks, scores, an ablation, greedy text.

Tiny, with random weights, biases and norms among them. Eight kinds of block are in the fast suite; `pytest -m slow`
takes all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from architectures import ARCHITECTURES, EXPERT_BLOCKS, LACKING, RECURRENT
from plain_edits import hf_edited, hf_greedy, hf_logprobs, neurons_at
from tiny_models import LAYERS, hf_blocks, hf_network, ids_of, random_pairs, read_from, save_random, sentences_of
from torch import Tensor

from neurosteer.edits import Edit
from neurosteer.errors import InputError, NeurosteerError
from neurosteer.forward import eos_states, generate, score, steering
from neurosteer.model import Model, load_model

PAIRS = random_pairs(4)
SENTENCES = sentences_of(PAIRS)
PROMPTS = ["w3 w1 w4", "w1 w5 w9 w2 w6 w5 w3", "w8"]
CHOSEN = [(layer, unit) for layer in range(LAYERS) for unit in (3, 8, 17, 30)]
FAST = ("llama", "bloom", "mamba", "mixtral")


def some_slow(name: str) -> Any:
    return name if name in FAST else pytest.param(name, marks=pytest.mark.slow)


every = pytest.mark.parametrize("name", [some_slow(name) for name in ARCHITECTURES])


@pytest.fixture
def folder(name: str, tmp_path: Path) -> Path:
    return save_random(ARCHITECTURES[name](), tmp_path / name, flat=False)


def plain_scores(network: Any) -> Tensor:
    """`[pair, side]`."""
    return torch.stack([hf_logprobs(network, ids_of(one, eos=None)).sum() for one in SENTENCES]).reshape(-1, 2)


def plain_states(network: Any) -> Tensor:
    """`[sentence, layer, unit]`: what each block gives at EOS, one sentence at a time."""
    with read_from(hf_blocks(network)) as seen:
        for sentence in SENTENCES:
            network(torch.tensor([ids_of(sentence)]), use_cache=False)
    return torch.stack([torch.stack([one[0, -1] for one in block]) for block in seen], dim=1)


def near(ours: Tensor, theirs: Tensor, most: float) -> bool:
    """Within `most`, or that share of the largest where numbers are large."""
    return bool((ours - theirs).abs().max() <= most * max(1.0, float(theirs.abs().max())))


@every
def test_it_is_that_of_plain_hugging_face(name: str, folder: Path):
    model, network = load_model(folder), hf_network(folder)
    states = plain_states(network)
    assert states.std(dim=0).min() > 1e-3  # no block is the same for all sentences
    assert near(eos_states(model, PAIRS, cache=False).values.flatten(0, 1), states, 1e-5)

    clean = plain_scores(network)
    assert near(score(model, PAIRS).logprob, clean, 1e-4 / float(clean.abs().max()))

    with hf_edited(network, name, CHOSEN, lambda *_given: 0.0):
        expected = plain_scores(network)
    assert (expected - clean).abs().median() > 1e-2  # a sentence of one word has nothing that is edited
    with steering(model, Edit.ablate(neurons_at(model, CHOSEN))):
        edited = score(model, PAIRS).logprob
    assert near(edited, expected, 1e-4 / float(expected.abs().max()))

    written = [list(row.tokens) for row in generate(model, PROMPTS, max_new_tokens=7)]
    assert written == [hf_greedy(network, ids_of(prompt, eos=None), 7) for prompt in PROMPTS]


def test_how_many_there_are():
    assert len(ARCHITECTURES) >= 30
    assert set(FAST) < set(ARCHITECTURES)
    assert set(RECURRENT) | set(EXPERT_BLOCKS) <= set(ARCHITECTURES)


@pytest.mark.parametrize("name", [some_slow(name) for name in EXPERT_BLOCKS])
def test_mixtures_of_experts_have_no_mlp_post(name: str, folder: Path):
    """Refused at these blocks, and no other; `mlp_out` is another site, and is there."""
    model = load_model(folder)
    for layer in range(LAYERS):
        if layer in EXPERT_BLOCKS[name]:
            with pytest.raises(InputError, match="mlp_post"):
                eos_states(model, PAIRS, site="mlp_post", layers=[layer], cache=False)
        else:
            assert eos_states(model, PAIRS, site="mlp_post", layers=[layer], cache=False).values.shape[-1] == 48
    assert eos_states(model, PAIRS, site="mlp_out", cache=False).values.shape[-1] == 32


@pytest.mark.parametrize("name", [some_slow(name) for name in RECURRENT])
def test_recurrent_models_write_without_a_cache_and_say_so(name: str, folder: Path, caplog: pytest.LogCaptureFixture):
    model: Model = load_model(folder)
    caplog.clear()
    together = generate(model, PROMPTS, max_new_tokens=5)
    assert [record.message for record in caplog.records if "cache" in record.message]
    assert together == [generate(model, prompt, max_new_tokens=5) for prompt in PROMPTS]


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in LACKING])
def test_what_transformer_lens_does_not_wrap(name: str, tmp_path: Path):
    """One line, which names the architecture and no list of 150."""
    with pytest.raises(NeurosteerError) as error:
        load_model(save_random(LACKING[name](), tmp_path / name))
    text = str(error.value)
    assert text.startswith(f"TransformerLens cannot wrap {tmp_path / name} (")
    assert len(text.replace(str(tmp_path), "")) < 500
