"""Neurons and scores of your own: what they need of a model, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.errors import InputError, one_line
from neurosteer.results.model import ModelDescription
from neurosteer.vocabulary import Json, Site

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@runtime_checkable
class HasUnits(Protocol):
    """What a neuron set needs of a model; `Model` is one."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def n_layers(self) -> int: ...

    def site_width(self, site: Site, layers: Sequence[int]) -> int:
        """Units of a site at these layers. Raises `InputError` for a site or layer that the model lacks."""

    def head_width(self, layers: Sequence[int]) -> int:
        """Units of one head of `z` at these layers. Raises `InputError` for a layer that has no heads."""

    def describe(self) -> ModelDescription: ...


def given_metadata(model: HasUnits) -> dict[str, Json]:
    """What is known of neurons that no search here has found."""
    known = model.describe()
    return {"network": {"name": known.name, "bos": known.bos, "eos": known.eos}}


def given_scores(scores: ArrayLike | Tensor) -> Float[Tensor, "..."]:
    """A copy in float32. Raises `InputError` for what are no finite real numbers, or none of that size."""
    try:
        given = scores.detach().cpu().numpy() if isinstance(scores, Tensor) else scores
        exact = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores are no array of numbers ({one_line(error)})") from None
    with np.errstate(over="ignore", under="ignore"):
        rounded = exact.astype(np.float32)
    if np.iscomplexobj(given) or not np.isfinite(rounded).all():
        raise InputError("a score is no finite real number, or none that float32 can hold")
    if ((exact > 0) != (rounded > 0)).any():
        raise InputError("a score above 0 is too small for float32, where it would be 0 and never be chosen")
    return torch.from_numpy(rounded)
