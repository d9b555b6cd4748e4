"""Every site is what the plain Hugging Face module computes there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_models import INNER, LAYERS, WIDTH, hf_blocks, hf_network, ids_of, read_from
from torch import Tensor, nn

from neurosteer.errors import InputError
from neurosteer.model import Model, capture, check_site, load_model, resolve_layers, site_width
from neurosteer.vocabulary import SITES

SENTENCE = ids_of("w3 w1 w4 w1 w5 w9 w2 w6")
OF_LLAMA = {  # site -> module of a block, and whether its input is meant
    "resid_post": ("", False),
    "resid_pre": ("", True),
    "resid_mid": ("post_attention_layernorm", True),
    "attn_out": ("self_attn", False),
    "mlp_out": ("mlp", False),
    "mlp_post": ("mlp.down_proj", True),
    "z": ("self_attn.o_proj", True),
}
OF_GPT2 = {
    "resid_post": ("", False),
    "resid_pre": ("", True),
    "resid_mid": ("ln_2", True),
    "attn_out": ("attn", False),
    "mlp_out": ("mlp", False),
    "mlp_post": ("mlp.c_proj", True),
    "z": ("attn.c_proj", True),
}
OF_NEOX = {
    "resid_post": ("", False),
    "resid_pre": ("", True),
    "attn_out": ("attention", False),
    "mlp_out": ("mlp", False),
    "mlp_post": ("mlp.dense_4h_to_h", True),
    "z": ("attention.dense", True),
}
OF_GEMMA3 = {  # its norms behind attention and MLP belong to what these add to the residual stream
    "resid_post": ("", False),
    "resid_pre": ("", True),
    "resid_mid": ("pre_feedforward_layernorm", True),
    "attn_out": ("post_attention_layernorm", False),
    "mlp_out": ("post_feedforward_layernorm", False),
    "mlp_post": ("mlp.down_proj", True),
    "z": ("self_attn.o_proj", True),
}
MODULES = {"llama": OF_LLAMA, "qwen3": OF_LLAMA, "gpt2": OF_GPT2, "neox": OF_NEOX, "gemma3": OF_GEMMA3}
CASES = [(kind, site) for kind, sites in MODULES.items() for site in sites]


def read(model: Model, site: str) -> Tensor:
    """`[layer, token, unit]`."""
    values: list[Tensor] = []
    with capture(model, site, range(LAYERS), lambda _layer, at: values.append(at[0].clone())) as one_pass:
        one_pass(torch.tensor([SENTENCE]))
    return torch.stack(values)


@pytest.mark.parametrize(("kind", "site"), CASES)
def test_a_site_is_the_module_it_names(
    kind: str, site: str, tiny: Callable[[str], Model], tiny_folder: Callable[[str], Path]
):
    network = hf_network(tiny_folder(kind))
    path, inputs = MODULES[kind][site]
    modules: list[nn.Module] = [block.get_submodule(path) for block in hf_blocks(network)]
    with read_from(modules, inputs=inputs) as seen:
        network(torch.tensor([SENTENCE]))
    expected = torch.stack([calls[0][0] for calls in seen])
    values = read(tiny(kind), site)
    assert values.shape == expected.shape == (LAYERS, len(SENTENCE), site_width(tiny(kind), site, range(LAYERS)))
    assert expected.std() > 1e-3
    assert (values - expected).abs().max() < 1e-5


def test_widths(tiny: Callable[[str], Model]):
    widths = {site: site_width(tiny("llama"), site, [0]) for site in SITES}
    assert widths == {**dict.fromkeys(SITES, WIDTH), "mlp_post": INNER}


def test_a_site_that_the_architecture_lacks(tiny: Callable[[str], Model]):
    """Attention and MLP of GPT-NeoX read the same input, so nothing lies between them."""
    with pytest.raises(InputError) as error:
        check_site(tiny("neox"), "resid_mid", [0, 1])
    assert str(error.value) == (
        "GPTNeoXForCausalLM has no site 'resid_mid' at layer 0; "
        "it has resid_post, resid_pre, attn_out, mlp_out, mlp_post, z"
    )


def test_an_unknown_site(tiny: Callable[[str], Model]):
    with pytest.raises(InputError, match=r"unknown site 'atn_out'; did you mean 'attn_out'\?; one of resid_post"):
        check_site(tiny("llama"), "atn_out", [0])


def test_layers(tiny: Callable[[str], Model]):
    model = tiny("llama")
    assert resolve_layers(model, "all") == (0, 1, 2)
    assert resolve_layers(model, 2) == (2,)
    assert resolve_layers(model, [2, 0, 2]) == (0, 2)
    with pytest.raises(InputError, match=r"no layer 3: .* has layers 0 to 2"):
        resolve_layers(model, [1, 3])
    with pytest.raises(InputError, match=r"^no layer -1: .* has layers 0 to 2$"):
        check_site(model, "resid_post", [-1])


def test_the_context_is_the_models_own(tiny: Callable[[str], Model]):
    assert (tiny("llama").context, tiny("llama").window) == (64, 64)
    assert (tiny("gemma3").context, tiny("gemma3").window) == (64, 32)


def test_repr(tiny_folder: Callable[[str], Path]):
    folder = tiny_folder("llama")
    assert repr(load_model(folder)) == f"Model('{folder}', 3 layers x 32, float32 on cpu, BOS <s>, EOS </s>)"
