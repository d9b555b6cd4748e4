"""The positions of a forward pass at which an edit acts: the only module that knows what `where` means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from neurosteer.errors import InputError
from neurosteer.vocabulary import Where

from .decoder import Decoder

_STATES = ("cache_params", "state")  # of recurrent models, which carry no length


@dataclass(frozen=True, eq=False)
class EditedPositions:
    """Of one pass: which tokens are edited, and the depth (position) of every token."""

    tokens: Bool[Tensor, "row node"]
    depths: Int[Tensor, "row node"]


def edited_positions(
    model: Decoder, given: Mapping[str, Any], where: Where, *, prompt: int | None = None
) -> EditedPositions:
    """From the arguments of a pass (`input_ids`, `attention_mask`, `position_ids`, `past_key_values`).

    BOS, if the model has one at depth 0, is edited by `every` alone, and padding never. `prompt` is the column at
    which generated tokens begin; if it is None, tokens added to a key-value cache are the generated ones.
    """
    ids = given.get("input_ids")
    if not isinstance(ids, Tensor):
        raise InputError("an edited pass must be given token ids; embeddings do not say where BOS and EOS are")
    if any(given.get(name) is not None for name in _STATES):
        raise InputError(
            "an edited pass that goes on from a recurrent model's state does not say where it is; use ns.generate, "
            "or use_cache=False"
        )
    cache = given.get("past_key_values")
    past = int(cache.get_seq_length()) if cache is not None else 0
    real, depths = _places(ids, past, given.get("attention_mask"), given.get("position_ids"))
    start = (depths == 0) & (ids == model.bos.id) if model.bos else torch.zeros_like(real)
    inner = real & ~start
    columns = past + torch.arange(ids.shape[1], device=ids.device)
    generated = (columns >= prompt if prompt is not None else columns >= past) & (prompt is not None or past > 0)
    chosen = {
        "all": inner,
        "prompt": inner & ~generated,
        "generated": inner & generated,
        "eos": inner & (ids == model.eos.id),
        "every": real,
    }[where]
    return EditedPositions(chosen, depths)


def _places(
    ids: Int[Tensor, "row node"], past: int, mask: Tensor | None, positions: Tensor | None
) -> tuple[Bool[Tensor, "row node"], Int[Tensor, "row node"]]:
    """Which tokens are not padding, and the depth of each."""
    width = ids.shape[1]
    real = torch.ones_like(ids, dtype=torch.bool)
    depths = (past + torch.arange(width, device=ids.device)).expand_as(ids)
    if isinstance(mask, Tensor) and mask.ndim == 2:
        real = mask[:, -width:].bool()
        depths = (mask.long().cumsum(-1) - 1).clamp_min(0)[:, -width:]
    if isinstance(positions, Tensor):
        depths = positions.expand_as(ids)
    if isinstance(mask, Tensor) and mask.ndim == 4:  # a forest: a node attends to its ancestors and itself
        real = (mask[:, 0] == 0).sum(-1) == depths + 1
    return real, depths
