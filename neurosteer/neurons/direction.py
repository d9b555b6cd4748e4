"""`Direction`: a vector of activations, with what is known about it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cosine_similarity

from neurosteer.artefacts import DIRECTION
from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.results import RankedNeuron
from neurosteer.vocabulary import Edited, Json, Site

from .from_python import HasUnits
from .saving import saved
from .sets import NeuronSet

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction of a site's activations: from bad to good sentences, or one of your own.

    Attributes:
        neurons: the units that the vector has a value for, usually all of one layer; they know model, site,
            statistics and where the direction comes from.
        vector: of length 1, in units of the raw activation.
        std: standard deviation of the train states along it, which is what a push of strength 1 adds.

    Example:
        >>> mean, probe = found.direction("mean", layer=1), found.direction("probe", layer=1)
        >>> mean, mean.layer, round(mean.cosine(probe), 1)
        (Direction(mean direction, at resid_post, layer 1), 1, 0.9)
        >>> ns.Direction.of(model, [3.0] + [0.0] * 383, 1).std
        3.0
        >>> path = mean.save("mean.safetensors")
        >>> ns.Direction.load("mean.safetensors")
        Direction(mean direction, at resid_post, layer 1)
    """

    neurons: NeuronSet
    vector: Float[Tensor, "neuron"]
    std: float

    @classmethod
    def of(
        cls,
        model: HasUnits,
        vector: ArrayLike,
        layer: int,
        *,
        site: Site = "resid_post",
        std: float | None = None,
        stats: UnitStats | None = None,
    ) -> Direction:
        """Take a vector of your own at a layer.

        Args:
            model: the model whose activations it is a direction of.
            vector: `[unit]`, a value for every unit of the site; its length matters only for `std`.
            layer: block index, counted from 0.
            site: which activation.
            std: standard deviation of the states along it. None is the length of the vector, so that a push of
                strength 1 adds the vector itself.
            stats: unit statistics of the site (`ranking.stats`), to move the component to its mean.

        Raises:
            InputError: for a vector of another size, of length 0 or with a value that is not finite, and for a layer
                or site that the model lacks.
        """
        width = model.site_width(site, [layer])
        values = np.array(vector.detach().cpu().numpy() if isinstance(vector, Tensor) else vector, dtype=np.float64)
        if values.shape != (width,):
            raise InputError(f"the vector is {list(values.shape)}, not [{width} units of {site}]")
        length = float(np.linalg.norm(values))
        if not np.isfinite(values).all() or not length > 0:
            raise InputError("a direction needs finite values, not all of them 0")
        if std is not None and not 0 <= std < np.inf:
            raise InputError(f"std must be a number of at least 0, not {std}")
        neurons = NeuronSet.of(model, [(layer, unit) for unit in range(width)], site=site, stats=stats)
        return cls(neurons, torch.from_numpy(values / length).float(), length if std is None else float(std))

    @property
    def layer(self) -> int:
        """Its layer.

        Raises:
            InputError: for a direction of several layers.
        """
        layers = set(self.neurons.layers.tolist())
        if len(layers) != 1:
            raise InputError(f"this takes a direction of one layer, and {self!r} has {len(layers)}")
        return int(layers.pop())

    @property
    def metadata(self) -> Mapping[str, Json]:
        """Where it comes from."""
        return self.neurons.metadata

    @property
    def by(self) -> Edited:
        """`direction`, as `unit` or `head` of a neuron set."""
        return "direction"

    @property
    def members(self) -> list[Direction]:
        """The direction itself, as the units or heads of a neuron set."""
        return [self]

    def listed(self) -> tuple[RankedNeuron, ...]:
        """No neuron stands for it."""
        return ()

    def cosine(self, other: Direction) -> float:
        """Cosine of the angle to another direction of the same units.

        Args:
            other: the other direction.

        Returns:
            From -1 to 1.
        """
        return round(float(cosine_similarity(self.vector.double(), other.vector.double(), dim=0)), 12)

    def along(self, vector: Float[Tensor, "neuron"], std: float, **about: Json) -> Direction:
        """Another vector of the same units, brought to length 1."""
        neurons = replace(self.neurons, metadata={**self.metadata, **about})
        return Direction(neurons, (vector.double() / vector.double().norm()).float(), float(std))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a safetensors file with a digest.

        Args:
            path: the file.

        Returns:
            The path.

        Raises:
            NeurosteerError: where it cannot be written.
        """
        own = {"vector": self.vector.numpy(), "std": np.array([self.std])}
        return saved(path, DIRECTION.kind, self.neurons.arrays() | own, self.neurons.described())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Direction:
        """Read what `save` wrote.

        Args:
            path: the file.

        Raises:
            InputError: for another kind of file, and for content that no direction has.
            CorruptFileError: for a damaged one.
        """
        arrays, metadata = DIRECTION.read(Path(path))
        neurons = NeuronSet.from_arrays(arrays, metadata)
        return cls(neurons, torch.from_numpy(arrays["vector"]), float(arrays["std"][0]))

    def __repr__(self) -> str:
        layers = sorted(set(self.neurons.layers.tolist()))
        where = f"layer {layers[0]}" if len(layers) == 1 else f"{len(layers)} layers"
        return f"Direction({self.metadata.get('method')}, at {self.neurons.site}, {where})"
