"""Edited models by a slow plain loop: Hugging Face's own modules, one sentence and one number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import torch
from tiny_models import EOS, LAYERS, WIDTH, hf_blocks
from torch import Tensor, nn

from neurosteer.data import UnitStats
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet

KINDS = ("gpt2", "llama", "neox", "gemma3")
SOME_KINDS = ("llama", "gemma3", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("gpt2", "neox")))
MODULE_OF = {  # what of a block gives a site's activations; the block itself gives `resid_post`
    ("gpt2", "attn_out"): "attn",
    ("llama", "attn_out"): "self_attn",
    ("neox", "attn_out"): "attention",
    ("gemma3", "attn_out"): "post_attention_layernorm",
    ("gpt2", "mlp_out"): "mlp",
    ("llama", "mlp_out"): "mlp",
    ("neox", "mlp_out"): "mlp",
    ("gemma3", "mlp_out"): "post_feedforward_layernorm",
}
Neurons = Sequence[tuple[int, int]]
New = Callable[[int, int, int, Tensor], Any]  # layer, unit, depth, old value -> new value


def neurons_at(model: Model, chosen: Iterable[tuple[int, int]], *, site: str = "resid_post") -> NeuronSet:
    """Some (layer, unit) of a tiny model; their statistics are made up."""
    rng = torch.Generator().manual_seed(7)
    values = [torch.randn(LAYERS, WIDTH, generator=rng) for _ in range(4)]
    stats = UnitStats(values[0], values[1].square(), values[2], values[3].square(), 99, tuple(range(LAYERS)))
    layers, units = torch.tensor(sorted(chosen), dtype=torch.long).reshape(-1, 2).unbind(1)
    return NeuronSet(layers, units, torch.ones(len(units)), stats, model.fingerprint, site, {"task": "toy"})


def site_modules(network: Any, kind: str, site: str) -> list[nn.Module]:
    """One of each block."""
    return [block.get_submodule(MODULE_OF.get((kind, site), "")) for block in hf_blocks(network)]


def beyond_bos(depth: int) -> bool:
    """Where an edit of all tokens acts."""
    return depth > 0


@contextmanager
def hf_edited(
    network: Any,
    kind: str,
    chosen: Neurons,
    new: New,
    *,
    site: str = "resid_post",
    acts: Callable[[int], bool] = beyond_bos,
) -> Iterator[None]:
    """Inside the block each chosen unit takes a new value at the depths where the edit acts."""

    def editor(layer: int) -> Callable[..., Any]:
        units = [unit for other, unit in chosen if other == layer]

        def edit(_module: nn.Module, _given: Any, gives: Any) -> Any:
            values = (gives[0] if isinstance(gives, tuple) else gives).clone()
            assert len(values) == 1
            for depth in filter(acts, range(values.shape[1])):
                for unit in units:
                    values[0, depth, unit] = new(layer, unit, depth, values[0, depth, unit])
            return (values, *gives[1:]) if isinstance(gives, tuple) else values

        return edit

    with ExitStack() as stack:
        for layer, module in enumerate(site_modules(network, kind, site)):
            handle = module.register_forward_hook(editor(layer))
            stack.callback(handle.remove)
        yield


def hf_logprobs(network: Any, ids: Sequence[int]) -> Tensor:
    """Of each token but the first, given all before it."""
    logits = network(torch.tensor([list(ids)])).logits[0, :-1].double()
    return logits.log_softmax(dim=-1)[range(len(ids) - 1), list(ids[1:])]


def hf_greedy(network: Any, ids: Sequence[int], new_tokens: int, *, eos: int = EOS) -> list[int]:
    """The likeliest token after another, all computed again for each."""
    written: list[int] = []
    while len(written) < new_tokens and written[-1:] != [eos]:
        logits = network(torch.tensor([[*ids, *written]]), use_cache=False).logits[0, -1]
        written.append(int(logits.argmax()))
    return written
