"""The dense probes of a `find` as arrays of an artefact, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Directions: TypeAlias = Mapping[int, tuple[Float[Tensor, "unit"], float]]  # by layer: of unit length, and the spread


def direction_arrays(directions: Directions) -> dict[str, np.ndarray]:
    """`directions` [layer, unit] and `spread` [layer], in the order of the layers."""
    return {
        "directions": torch.stack([direction for direction, _ in directions.values()]).numpy(),
        "spread": np.array([spread for _, spread in directions.values()]),
    }


def directions_from(arrays: Mapping[str, np.ndarray], layers: Sequence[int]) -> Directions:
    """What `direction_arrays` was given."""
    rows = zip(layers, arrays["directions"], arrays["spread"], strict=True)
    return {layer: (torch.from_numpy(direction), float(spread)) for layer, direction, spread in rows}
