"""The directions of a `find` as arrays of an artefact, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.vocabulary import DirectionKind

OfLayers: TypeAlias = Mapping[int, tuple[Float[Tensor, "unit"], float]]  # of unit length, and the spread, by layer
Directions: TypeAlias = Mapping[DirectionKind, OfLayers]
_PREFIX: Mapping[DirectionKind, str] = {"mean": "mean_", "probe": ""}


def direction_arrays(directions: Directions) -> dict[str, np.ndarray]:
    """Of each kind `directions` [layer, unit] and `spread` [layer], in the order of the layers."""
    arrays = {}
    for kind, prefix in _PREFIX.items():
        both = directions[kind].values()
        arrays[f"{prefix}directions"] = torch.stack([direction for direction, _ in both]).numpy()
        arrays[f"{prefix}spread"] = np.array([spread for _, spread in both])
    return arrays


def directions_from(arrays: Mapping[str, np.ndarray], layers: Sequence[int]) -> Directions:
    """What `direction_arrays` was given."""
    return {
        kind: {
            layer: (torch.from_numpy(direction), float(spread))
            for layer, direction, spread in zip(
                layers, arrays[f"{prefix}directions"], arrays[f"{prefix}spread"], strict=True
            )
        }
        for kind, prefix in _PREFIX.items()
    }
