"""`Decoder`: a language model with TransformerLens hooks, and what is known of it without a pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformer_lens.model_bridge import TransformerBridge

from neurosteer.results.model import ModelDescription

from .specials import Special

_WINDOWS = ("sliding_window", "window_size", "attention_chunk_size")


@dataclass(frozen=True, eq=False)
class Decoder:
    """A loaded decoder. `bridge` is the TransformerBridge, the other fields describe it."""

    bridge: TransformerBridge
    tokenizer: Any
    name: str
    revision: str | None
    fingerprint: str  # of weights, tokenizer and architecture; independent of dtype and device
    bos: Special | None
    eos: Special
    dtype: torch.dtype
    device: torch.device

    @property
    def n_layers(self) -> int:
        """Number of blocks."""
        return int(self.bridge.cfg.n_layers)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return int(self.bridge.cfg.d_model)

    @property
    def context(self) -> int:
        """The longest token sequence that the model accepts."""
        return int(self.bridge.cfg.n_ctx)

    @property
    def window(self) -> int:
        """The length up to which every layer attends to all earlier tokens: the context, or a sliding window."""
        config = self.bridge.original_model.config
        config = config.get_text_config() if hasattr(config, "get_text_config") else config
        spans = [getattr(config, name, None) for name in _WINDOWS]
        return min([self.context, *(span for span in spans if isinstance(span, int) and span > 0)])

    @property
    def float64_device(self) -> torch.device:
        """Where probes are fitted: the model's device, or the CPU if the device has no float64 (MPS)."""
        return torch.device("cpu") if self.device.type == "mps" else self.device

    def describe(self) -> ModelDescription:
        """The `model` object of every JSON result."""
        return ModelDescription(
            name=self.name,
            revision=self.revision,
            fingerprint=self.fingerprint,
            n_layers=self.n_layers,
            d_model=self.d_model,
            dtype=str(self.dtype).removeprefix("torch."),
            device=self.device.type,
            bos=self.bos.id if self.bos else None,
            eos=self.eos.id,
        )

    @property
    def specials(self) -> str:
        """BOS and EOS, as the foot of every table names them."""
        return f"BOS {self.bos.text if self.bos else 'none'}, EOS {self.eos.text}"

    def __repr__(self) -> str:
        size, dtype = f"{self.n_layers} layers x {self.d_model}", str(self.dtype).removeprefix("torch.")
        return f"{type(self).__name__}({self.name!r}, {size}, {dtype} on {self.device}, {self.specials})"
