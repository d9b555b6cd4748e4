"""What a model that is none says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neurosteer.results.model import ModelDescription

_ANY = ModelDescription(
    name="any", revision=None, fingerprint="f", n_layers=4, d_model=8, dtype="float32", device="cpu", bos=1, eos=2
)


def described(name: str, **about: Any) -> ModelDescription:
    """A model of that name; what is not said of it stands for any."""
    return replace(_ANY, name=name, **about)
