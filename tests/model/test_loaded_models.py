"""A Hugging Face model that the caller has loaded: the same states, and one line for what cannot be taken."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from tiny_models import hf_network, hf_states, ids_of, random_pairs, sentences_of
from torch import nn
from transformer_lens.model_bridge import TransformerBridge

from neurosteer.errors import InputError
from neurosteer.forward import eos_states
from neurosteer.model import Model, load_model

PAIRS = random_pairs(12)


def tokenizer_of(folder: Path) -> Any:
    return transformers.AutoTokenizer.from_pretrained(folder)


def message_of(given: object, **options: Any) -> str:
    """The one line that loading ends with; past the type checker of the tests."""
    with pytest.raises(InputError) as error:
        inspect.unwrap(load_model)(given, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3"])
def test_the_states_are_those_of_plain_hugging_face(
    kind: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    folder = tiny_folder(kind)
    expected = hf_states(hf_network(folder), [ids_of(sentence) for sentence in sentences_of(PAIRS)])
    network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    model = load_model(network, tokenizer=tokenizer_of(folder))
    states = eos_states(model, PAIRS, cache=False).values.flatten(0, 1)
    torch.testing.assert_close(states, expected, rtol=1e-4, atol=1e-5)
    assert model.fingerprint == tiny(kind).fingerprint
    assert (model.name, model.dtype, model.bos.text, model.eos.text) == (str(folder), torch.float32, "<s>", "</s>")
    assert not any(module.training for module in network.modules())
    assert not any(weight.requires_grad for weight in network.parameters())


def test_a_network_that_never_was_in_a_folder(tiny_folder: Callable[[str], Path], tmp_path: Path):
    """Made in this process, it is the model that it will be when it is saved."""
    network = transformers.LlamaForCausalLM(transformers.LlamaConfig.from_pretrained(tiny_folder("llama")))
    network.config.architectures, network.config.name_or_path = None, ""
    tokenizer = tokenizer_of(tiny_folder("llama"))
    network.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = load_model(network, tokenizer=tokenizer, bos="none", eos="w5")
    assert (model.name, model.bos, model.eos.text) == ("LlamaForCausalLM", None, "w5")
    assert model.fingerprint == load_model(tmp_path).fingerprint


def test_a_bridge_takes_a_tokenizer_where_it_has_none(tiny_folder: Callable[[str], Path]):
    folder = tiny_folder("llama")
    bridge = TransformerBridge.boot_transformers(str(folder), device="cpu", dtype=torch.float32)
    bridge.tokenizer = None
    assert load_model(bridge, tokenizer=tokenizer_of(folder)).eos.text == "</s>"


@pytest.mark.parametrize("option", ["device", "dtype", "revision", "device_map"])
def test_it_stays_as_it_is(option: str, tiny_folder: Callable[[str], Path]):
    folder = tiny_folder("llama")
    assert message_of(hf_network(folder), tokenizer=tokenizer_of(folder), **{option: "cpu"}) == (
        "a LlamaForCausalLM stays as it is: revision, device, dtype and device_map do not apply"
    )


COMMON = {"num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 64}
SMALL = {**COMMON, "hidden_size": 16, "intermediate_size": 16}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "vocab_size": 64}
QUANTISED = "cannot be edited exactly; load the model in float32 or bfloat16"


def llama(**changes: Any) -> Any:
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL | changes))


def int8() -> Any:
    network = llama()
    weight = network.model.layers[0].mlp.up_proj.weight
    network.model.layers[0].mlp.up_proj.weight = nn.Parameter(weight.detach().to(torch.int8), requires_grad=False)
    return network


def four_bits() -> Any:
    network = llama()
    network.hf_quantizer = SimpleNamespace(quantization_config=SimpleNamespace(quant_method="bitsandbytes"))
    return network


def nowhere() -> Any:
    with torch.device("meta"):
        return llama()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: transformers.LlamaModel(transformers.LlamaConfig(**SMALL)), "a LlamaModel predicts no next token;"),
        (lambda: transformers.BertModel(transformers.BertConfig(**SMALL)), "a BertModel predicts no next token;"),
        (
            lambda: transformers.BertForMaskedLM(transformers.BertConfig(**SMALL)),
            "BertForMaskedLM is no decoder: BertForMaskedLM reads in both directions; name a model that writes text",
        ),
        (
            lambda: transformers.T5ForConditionalGeneration(transformers.T5Config(**T5)),
            "a T5ForConditionalGeneration is an encoder-decoder model; neurosteer needs a decoder",
        ),
        (int8, f"quantised weights (int8) {QUANTISED}"),
        (four_bits, f"quantised weights (bitsandbytes) {QUANTISED}"),
        (nowhere, "weights of this LlamaForCausalLM are on no device; load them before"),
        (lambda: nn.Linear(2, 2), "load_model takes a name, a folder, a hub id, a TransformerBridge or a Hugging"),
    ],
)
def test_what_it_cannot_take(make: Callable[[], object], message: str, tiny_folder: Callable[[str], Path]):
    assert message_of(make(), tokenizer=tokenizer_of(tiny_folder("llama"))).startswith(message)


def test_tokenizers_go_with_networks(tiny_folder: Callable[[str], Path]):
    folder = tiny_folder("llama")
    assert message_of(hf_network(folder)) == (
        "a LlamaForCausalLM does not bring its tokenizer: load_model(network, tokenizer=tokenizer)"
    )
    assert message_of(folder, tokenizer=tokenizer_of(folder)) == (
        "tokenizer= is for a Hugging Face model that you have loaded; a name brings its own"
    )


def test_a_network_is_wrapped_once(tiny_folder: Callable[[str], Path]):
    folder = tiny_folder("llama")
    network, tokenizer = hf_network(folder), tokenizer_of(folder)
    model = load_model(network, tokenizer=tokenizer)
    assert message_of(network, tokenizer=tokenizer) == (
        "this LlamaForCausalLM is behind a TransformerBridge already; give that bridge"
    )
    assert load_model(model.bridge).fingerprint == model.fingerprint
