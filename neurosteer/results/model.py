"""How results name a model: what a loaded one says of itself, and what is read back of that."""

from __future__ import annotations

from dataclasses import dataclass

from neurosteer.shown import short_repr


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """The `model` object of every JSON result."""

    name: str
    revision: str | None
    fingerprint: str  # of weights, tokenizer and architecture
    n_layers: int
    d_model: int
    dtype: str
    device: str
    bos: int | None  # token ids
    eos: int

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class ModelUsed:
    """The same, read back: of neurons that came from elsewhere little is known."""

    name: str
    revision: str | None = None
    fingerprint: str | None = None
    dtype: str | None = None
    device: str = "cpu"
    bos: int | None = None
    eos: int | None = None
