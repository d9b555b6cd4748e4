"""What one writes without neurosteer: padded batches, through TransformerLens or through Hugging Face's model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from neurosteer.model import Model

Tokens = tuple[int, ...]


def batches(
    sequences: Sequence[Tokens], size: int, *, by_length: bool = False
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Places of the sequences, their ids padded on the right, and the mask."""
    order = (
        sorted(range(len(sequences)), key=lambda i: len(sequences[i])) if by_length else list(range(len(sequences)))
    )
    for start in range(0, len(order), size):
        places = order[start : start + size]
        ids = torch.zeros(len(places), max(len(sequences[i]) for i in places), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, i in enumerate(places):
            ids[row, : len(sequences[i])] = torch.tensor(sequences[i])
            mask[row, : len(sequences[i])] = 1
        yield places, ids, mask


def padded_tokens(sequences: Sequence[Tokens], size: int, *, by_length: bool = False) -> int:
    return sum(ids.numel() for _, ids, _ in batches(sequences, size, by_length=by_length))


def lens_states(model: Model, sequences: Sequence[Tokens], batch: int) -> Tensor:
    """`[sequence, layer, unit]` at the last token, by TransformerLens' `run_with_cache` on batches as they come."""
    names = [f"blocks.{layer}.hook_out" for layer in range(model.n_layers)]
    parts = []
    for _, ids, mask in batches(sequences, batch):
        with torch.no_grad():
            _, cache = model.bridge.run_with_cache(
                ids.to(model.device),
                attention_mask=mask.to(model.device),
                names_filter=lambda name: name in names,
                return_type=None,
            )
        rows, last = torch.arange(len(ids)), mask.sum(1) - 1
        parts.append(torch.stack([cache[name][rows, last].float().cpu() for name in names], dim=1))
    return torch.cat(parts)


def base_states(network: Any, sequences: Sequence[Tokens], batch: int) -> Tensor:
    """The same by Hugging Face's base model (no logits), batches sorted by length, hooks that keep the last token."""
    found: list[Tensor] = [torch.empty(0)] * len(sequences)
    kept: list[Tensor] = []
    rows, last = torch.empty(0), torch.empty(0)

    def keep(_module: Any, _given: Any, gives: Any) -> None:
        hidden = gives[0] if isinstance(gives, tuple) else gives
        kept.append(hidden[rows, last].float().cpu())

    handles = [block.register_forward_hook(keep) for block in blocks_of(network)]
    try:
        for places, ids, mask in batches(sequences, batch, by_length=True):
            rows, last = torch.arange(len(ids)), mask.sum(1) - 1
            kept.clear()
            with torch.no_grad():
                network.base_model(ids.to(network.device), attention_mask=mask.to(network.device), use_cache=False)
            for place, states in zip(places, torch.stack(kept, dim=1), strict=True):
                found[place] = states
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(found)


def blocks_of(network: Any) -> torch.nn.ModuleList:
    """The blocks of a Hugging Face decoder: its longest list of modules."""
    return max((m for m in network.modules() if isinstance(m, torch.nn.ModuleList)), key=len)


def lens_logprobs(
    model: Model, sequences: Sequence[Tokens], batch: int, hooks: Sequence[tuple[str, Callable[..., Tensor]]]
) -> Tensor:
    """Summed log-probabilities of the sequences by `run_with_hooks`: all blocks and all logits, every time."""
    totals = []
    for _, ids, mask in batches(sequences, batch):
        with torch.no_grad():
            logits = model.bridge.run_with_hooks(
                ids.to(model.device),
                attention_mask=mask.to(model.device),
                fwd_hooks=list(hooks),
                return_type="logits",
            )
        logprobs = logits[:, :-1].float().log_softmax(-1)
        picked = logprobs.gather(2, ids[:, 1:, None].to(model.device))[..., 0].cpu() * mask[:, 1:]
        totals.append(picked.double().sum(1))
    return torch.cat(totals)
