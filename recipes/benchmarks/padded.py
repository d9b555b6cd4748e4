"""What one writes without neurosteer: padded batches, through TransformerLens or through Hugging Face's model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurosteer.model import Model

Tokens = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences padded on the right."""

    places: list[int]  # of the sequences, among all
    ids: Tensor
    mask: Tensor

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """Rows and columns of the last tokens."""
        return torch.arange(len(self.ids)), self.mask.sum(1) - 1


def batches(sequences: Sequence[Tokens], size: int, *, by_length: bool = False) -> list[Batch]:
    order = (
        sorted(range(len(sequences)), key=lambda i: len(sequences[i])) if by_length else list(range(len(sequences)))
    )
    found = []
    for start in range(0, len(order), size):
        places = order[start : start + size]
        ids = torch.zeros(len(places), max(len(sequences[i]) for i in places), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(places):
            ids[row, : len(sequences[i])] = torch.tensor(sequences[i])
            mask[row, : len(sequences[i])] = 1
        found.append(Batch(places, ids, mask))
    return found


def padded_tokens(found: Sequence[Batch]) -> int:
    return sum(batch.ids.numel() for batch in found)


def lens_states(model: Model, batch: Batch) -> Tensor:
    """`[sequence, layer, unit]` at the last token, by TransformerLens' `run_with_cache`."""
    names = [f"blocks.{layer}.hook_out" for layer in range(model.n_layers)]
    with torch.no_grad():
        _, cache = model.bridge.run_with_cache(
            batch.ids.to(model.device),
            attention_mask=batch.mask.to(model.device),
            names_filter=lambda name: name in names,
            return_type=None,
        )
    return torch.stack([cache[name][batch.ends].float().cpu() for name in names], dim=1)


def base_states(network: Any, batch: Batch) -> Tensor:
    """The same by Hugging Face's base model (no logits), with hooks that keep the last token."""
    kept: list[Tensor] = []

    def keep(_module: Any, _given: Any, gives: Any) -> None:
        hidden = gives[0] if isinstance(gives, tuple) else gives
        kept.append(hidden[batch.ends].float().cpu())

    handles = [block.register_forward_hook(keep) for block in blocks_of(network)]
    try:
        with torch.no_grad():
            network.base_model(
                batch.ids.to(network.device), attention_mask=batch.mask.to(network.device), use_cache=False
            )
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(kept, dim=1)


def blocks_of(network: Any) -> torch.nn.ModuleList:
    """The blocks of a Hugging Face decoder: its longest list of modules."""
    return max((m for m in network.modules() if isinstance(m, torch.nn.ModuleList)), key=len)


def lens_logprobs(model: Model, given: Sequence[Batch], hooks: Sequence[tuple[str, Callable[..., Tensor]]]) -> Tensor:
    """Summed log-probabilities of the sequences by `run_with_hooks`: all blocks and all logits, every time."""
    totals = []
    for batch in given:
        with torch.no_grad():
            logits = model.bridge.run_with_hooks(
                batch.ids.to(model.device),
                attention_mask=batch.mask.to(model.device),
                fwd_hooks=list(hooks),
                return_type="logits",
            )
        logprobs = logits[:, :-1].float().log_softmax(-1)
        picked = logprobs.gather(2, batch.ids[:, 1:, None].to(model.device))[..., 0].cpu() * batch.mask[:, 1:]
        totals.append(picked.double().sum(1))
    return torch.cat(totals)
