"""Do a key-value cache and padding leave this model's next tokens as they are? They are tested before they are used.

Recurrent models (state-space, linear attention) have no such cache, or one that does not say how long it is, and some
read padding as if it were text. Random tokens are continued both ways, once per model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from neurosteer.errors import is_out_of_memory
from neurosteer.model import Model, without_hooks
from neurosteer.progress import Progress

from .check import FAILURES, TOLERANCE, supported
from .overflow import overflow

_STEPS = 3  # new tokens of the test
_caches: WeakKeyDictionary[Model, bool] = WeakKeyDictionary()
_pads: WeakKeyDictionary[Model, bool] = WeakKeyDictionary()


def can_cache_keys(model: Model, progress: Progress) -> bool:
    """Whether generation with a key-value cache is exact, and its passes say where they are; if not, a notice."""
    if model not in _caches:
        with without_hooks(model):
            _caches[model] = _caches_exactly(model)
        if not _caches[model]:
            progress.notice(
                f"{model.name} has no key-value cache that can be used (a recurrent model has none); each new token "
                "reads the whole text again (slower, same text)"
            )
    return _caches[model]


def can_pad(model: Model, progress: Progress, *, cache: bool) -> bool:
    """Whether prompts of unequal length can be continued in one batch; if not, a notice says so."""
    if model not in _pads:
        with without_hooks(model):
            _pads[model] = _pads_exactly(model, cache=cache)
        if not _pads[model]:
            progress.notice(
                f"{model.name} reads padding as text; prompts run in batches of equal length instead (slower, same "
                "text)"
            )
    return _pads[model]


def _caches_exactly(model: Model) -> bool:
    [long, _], width = _prompts(model), _width(model)
    with supported(model):
        whole, _ = _logits(model, [long], cache=False)
    if not bool(whole.amax(dim=-1).isfinite().all()):
        raise overflow(model, [long])
    try:
        cached, past = _logits(model, [long], cache=True)
        # A cache that stays empty, or cannot tell its length, would also misplace edits.
        placed = past is not None and int(past.get_seq_length()) >= width
    except FAILURES as error:
        if is_out_of_memory(error):
            raise
        return False
    return placed and _agree(model, whole[0], cached[0])


def _pads_exactly(model: Model, *, cache: bool) -> bool:
    long, short = _prompts(model)
    alone, _ = _logits(model, [short], cache=cache)
    try:
        both, _ = _logits(model, [long, short], cache=cache)
    except FAILURES as error:
        if is_out_of_memory(error):
            raise
        return False
    return _agree(model, alone[0], both[1])


def _agree(model: Model, one: Tensor, other: Tensor) -> bool:
    difference = (one - other).norm() / one.norm().clamp_min(1e-12)
    return bool(difference <= TOLERANCE[model.dtype])


def _width(model: Model) -> int:
    return max(2, min(8, model.window - _STEPS))


def _prompts(model: Model) -> list[list[int]]:
    """A longer and a shorter one, of random tokens."""
    width = _width(model)
    draw = np.random.default_rng(0).integers(0, int(model.bridge.cfg.d_vocab), size=(2, width)).tolist()
    return [draw[0], draw[1][: max(1, width // 2)]]


def _logits(
    model: Model, prompts: Sequence[Sequence[int]], *, cache: bool
) -> tuple[Float[Tensor, "row step vocab"], Any]:
    """Float32 logits of the next tokens, of which each is the first token of the vocabulary; and the cache."""
    tokens, mask = padded(prompts, fill=model.eos.id)
    settings = GenerationConfig(max_new_tokens=_STEPS, do_sample=False, use_cache=cache, pad_token_id=model.eos.id)
    network = model.bridge.original_model
    before, network.generation_config = network.generation_config, GenerationConfig()
    try:
        with torch.no_grad():
            found = network.generate(
                tokens.to(model.device),
                attention_mask=mask.to(model.device),
                generation_config=settings,
                logits_processor=LogitsProcessorList([_AlwaysFirst()]),
                return_dict_in_generate=True,
                output_logits=True,
            )
    finally:
        network.generation_config = before
    return torch.stack(found.logits, dim=1).float(), found.get("past_key_values")


def padded(
    prompts: Sequence[Sequence[int]], *, fill: int
) -> tuple[Int[Tensor, "row token"], Int[Tensor, "row token"]]:
    """Prompts as one batch, padded at the left, and its mask: 0 at the padding."""
    width = max(map(len, prompts))
    gaps = torch.tensor([width - len(ids) for ids in prompts])
    tokens = torch.tensor([[fill] * int(gap) + list(ids) for gap, ids in zip(gaps, prompts, strict=True)])
    return tokens, (torch.arange(width) >= gaps[:, None]).long()


class _AlwaysFirst(LogitsProcessor):
    """Makes the first token of the vocabulary the next one: the runs that are compared read the same."""

    def __call__(
        self, input_ids: Int[Tensor, "row token"], scores: Float[Tensor, "row vocab"]
    ) -> Float[Tensor, "row vocab"]:
        chosen = torch.full_like(scores, -torch.inf)
        chosen[:, 0] = 0
        return chosen
