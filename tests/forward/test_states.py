"""EOS states equal those of plain Hugging Face, one sentence at a time; `test_r02_batching` packs them otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from sizes import all_slow_but, quick_and_slow
from tiny_models import WIDTH, hf_network, hf_states, ids_of, random_pairs, sentences_of
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.forward import eos_states
from neurosteer.model import Model, load_model
from neurosteer.pairs import Pairs, load_pairs

ARCHITECTURES = ("llama", "gpt2", "neox", "gemma3", "qwen3", "bloom")
PAIRS = random_pairs(100)
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def expected(tiny_folder: Callable[[str], Path]) -> Callable[[str], Tensor]:
    """`[pair, side, layer, unit]` by architecture."""
    sequences = [ids_of(sentence) for sentence in sentences_of(PAIRS)]
    return cache(lambda kind: hf_states(hf_network(tiny_folder(kind)), sequences).unflatten(0, (len(PAIRS), 2)))


def difference(model: Model, expected: Tensor, pairs: Pairs = PAIRS) -> float:
    states = eos_states(model, pairs, cache=False)
    assert states.values.shape == expected.shape
    return (states.values - expected).abs().max().item()


@pytest.mark.parametrize("kind", all_slow_but(["llama", "gemma3", "bloom"], ARCHITECTURES))
def test_states_are_those_of_hugging_face(kind: str, tiny: Callable[[str], Model], expected: Callable[[str], Tensor]):
    assert expected(kind).abs().mean() > 0.1  # so that the tolerance means something
    assert difference(tiny(kind), expected(kind)) < TOLERANCE


@pytest.mark.parametrize("kind", all_slow_but(["llama", "bloom"], ARCHITECTURES))
def test_states_in_batches_of_equal_length(
    kind: str, tiny: Callable[[str], Model], expected: Callable[[str], Tensor], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("neurosteer.forward.check.forest_is_exact", lambda _model, _progress: False)
    assert difference(tiny(kind), expected(kind)) < TOLERANCE


@pytest.mark.parametrize("longest", [2, 12])
def test_sliding_window_narrower_than_a_row(
    longest: int, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    """Short pairs fit the window of 8 tokens and run as a forest; longer ones reach beyond it."""
    pairs = random_pairs(30, longest=longest)
    sequences = [ids_of(sentence) for sentence in sentences_of(pairs)]
    states = hf_states(hf_network(tiny_folder("gemma3-narrow")), sequences).unflatten(0, (30, 2))
    assert difference(tiny("gemma3-narrow"), states, pairs) < TOLERANCE


def test_some_layers_only(tiny: Callable[[str], Model], expected: Callable[[str], Tensor]):
    states = eos_states(tiny("llama"), PAIRS, layers=[2, 0], cache=False)
    assert states.layers == (0, 2)
    assert (states.values - expected("llama")[:, :, [0, 2]]).abs().max() < TOLERANCE


@pytest.mark.parametrize("bos", quick_and_slow(["none", "w7"], ["<s>"]))
@pytest.mark.parametrize("position", ["eos", "last"])
def test_the_token_read(bos: str, position: str, tiny_folder: Callable[[str], Path]):
    """`last` reads the sentence's last word; BOS stands before it unless it is none."""
    folder = tiny_folder("llama")
    first = {"<s>": 62, "none": None, "w7": 7}[bos]
    end = 63 if position == "eos" else None
    sequences = [ids_of(sentence, bos=first, eos=end) for sentence in sentences_of(PAIRS.limit(20))]
    states = eos_states(load_model(folder, bos=bos), PAIRS.limit(20), position=position, cache=False)
    assert states.position == position
    assert (states.values.flatten(0, 1) - hf_states(hf_network(folder), sequences)).abs().max() < TOLERANCE


def test_states_say_what_they_are(tiny: Callable[[str], Model]):
    model = tiny("llama")
    states = eos_states(model, PAIRS, site="mlp_out", layers=1, cache=False)
    assert states.values.dtype == torch.float32
    assert states.values.shape == (100, 2, 1, WIDTH)
    assert (states.layers, states.task, states.model) == ((1,), "toy", model.fingerprint)
    assert (states.site, states.position, states.digest) == ("mlp_out", "eos", PAIRS.digest)
    assert torch.equal(states.take([5, 3]).values, states.values[[5, 3]])


def test_half_precision_stays_near(tiny_folder: Callable[[str], Path], expected: Callable[[str], Tensor]):
    model = load_model(tiny_folder("llama"), dtype="bfloat16")
    assert model.describe().dtype == "bfloat16"
    distance = difference(model, expected("llama"))
    assert TOLERANCE < distance < 0.1 * expected("llama").abs().max().item()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 3}, "no layer 3"),
        ({"layers": -1}, "no layer -1"),
        ({"layers": []}, "layers must be"),
        ({"layers": "some"}, "layers must be"),
        ({"site": "resid_pots"}, "did you mean 'resid_post'"),
        ({"position": "first"}, "unknown position 'first'"),
    ],
)
def test_bad_requests(options: dict[str, object], message: str, tiny: Callable[[str], Model], neurosteer_home: Path):
    with pytest.raises(InputError, match=message):
        eos_states(tiny("llama"), PAIRS, **options)
    assert not list(neurosteer_home.rglob("*.safetensors"))


def test_a_state_that_is_no_finite_number_is_an_error(tiny_folder: Callable[[str], Path], neurosteer_home: Path):
    model = load_model(tiny_folder("llama"))
    eos_states(model, PAIRS, cache=False)
    model.bridge.original_model.get_input_embeddings().weight.data[5, 3] = torch.inf
    told = "on toy computes no finite numbers in float32: the residual stream after layer 0 is not finite; its config"
    with pytest.raises(InputError, match=told):
        eos_states(model, PAIRS)
    assert not list(neurosteer_home.rglob("*.safetensors"))


LONG = "distractor_agreement_relative_clause"


@pytest.mark.slow
@pytest.mark.parametrize("task", ["intransitive", LONG])
def test_built_in_model(task: str, builtin: Model, builtin_network: Any, blimp_sample: Path):
    """Relative to the length of each state, at every layer."""
    pairs = load_pairs(task, source=str(blimp_sample)).limit(20)
    sentences = sentences_of(pairs)
    words = builtin.tokenizer(sentences, add_special_tokens=False)["input_ids"]
    expected = hf_states(builtin_network, [[0, *ids, 0] for ids in words])
    states = eos_states(builtin, pairs, cache=False).values.flatten(0, 1)
    assert states.shape == (2 * 20, 30, 576)
    assert ((states - expected).norm(dim=-1) / expected.norm(dim=-1)).max() < 1e-4
