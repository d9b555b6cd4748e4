"""A tiny Llama in which three units alone say whether a subject is singular, and the unembedding reads them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from tiny_models import hf_blocks, hf_network, save_tiny

from neurosteer.model import Model, load_model
from neurosteer.pairs import Pair, Pairs

PLANTED = [(1, 5), (1, 14), (1, 27)]
UNITS = [unit for _, unit in PLANTED]
SINGULAR, PLURAL = slice(0, 10), slice(10, 20)  # subjects
VERBS = slice(20, 30), slice(30, 40)  # that agree with them


def agreement_pairs() -> Pairs:
    """`subject verb noun`: 200 pairs in which only the verb's form differs."""
    rows = product(range(20), range(10))
    return Pairs(
        "agreement",
        "made up",
        tuple(
            Pair(
                f"w{s} w{20 + v + 10 * (s >= 10)} w{40 + (s + v) % 20}",
                f"w{s} w{30 + v - 10 * (s >= 10)} w{40 + (s + v) % 20}",
                f"{s}-{v}",
            )
            for s, v in rows
        ),
    )


def planted_model(folder: Path) -> Model:
    """Embeddings write the subject's number on three units, the unembedding reads it; blocks hardly do anything."""
    save_tiny("llama", folder)
    network = hf_network(folder)
    embed, unembed = network.model.embed_tokens.weight, network.lm_head.weight
    unembed.mul_(0.3)
    for weight, rows, sign in ((embed, (SINGULAR, PLURAL), 1.0), (unembed, VERBS, 0.5)):
        weight[:, UNITS] = 0.0
        for part, value in zip(rows, (sign, -sign), strict=True):
            weight[part, UNITS] = value
    for block in hf_blocks(network):
        block.self_attn.o_proj.weight.mul_(0.1)
        block.mlp.down_proj.weight.mul_(0.1)
    network.save_pretrained(folder)
    return load_model(folder)
