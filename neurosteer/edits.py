"""`Edit`: what to do to which neurons in a forward pass, as data. A model's hooks apply it.

Every edit is `h <- scale * h + shift` on the chosen units. Ablation (scale 0) and amplification are the same
operation `h <- to + scale * (h - to)`, where the reference `to` is zero, the unit's mean, or a donor's activation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neurosteer.errors import InputError, did_you_mean
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.results import read_record
from neurosteer.results.effect import AppliedEdit
from neurosteer.vocabulary import (
    FIXED_REFERENCES,
    KINDS,
    REACHES,
    REFERENCES,
    WHERES,
    EditKind,
    FixedReference,
    Reach,
    Reference,
    Where,
)


@dataclass(frozen=True, eq=False)
class LayerEdit:
    """One layer's part of an edit: `h[units] <- scale * h[units] + shift`; the shift can differ by depth."""

    units: Int[Tensor, "neuron"]
    scale: float
    shift: Float[Tensor, "neuron"] | Float[Tensor, "depth neuron"]


@dataclass(frozen=True, eq=False)
class Donor:
    """Activations to resample from: at each depth (position) those of one train sentence, at all units of a layer."""

    values: Float[Tensor, "depth layer unit"]
    layers: tuple[int, ...]

    def __repr__(self) -> str:
        depths, layers, width = self.values.shape
        return f"Donor({depths} depths, {layers} layers x {width} units)"


@dataclass(frozen=True, eq=False)
class Probe:
    """The direction of a linear probe: along it, good and bad sentences differ in a layer's activations.

    `direction` has length 1 in units of the raw activation, with one value per neuron; `std` is the standard
    deviation of the train states along it.
    """

    neurons: NeuronSet
    direction: Float[Tensor, "neuron"]
    std: float

    def __repr__(self) -> str:
        return f"Probe({self.neurons!r}, std {self.std:.3g})"


@dataclass(frozen=True, eq=False)
class Edit:
    """What to do to a neuron set, and at which positions. Create one with `ablate`, `amplify`, `clamp` or `push`.

    `where` is `all` (every token but BOS), `prompt`, `generated` or `eos`. `reach` says whether the units are edited
    at their `own` layer, `onward` (also at every later layer), or at `all` layers. Raises `InputError` for another
    word, and for a scale or value that is not finite.

        ns.Edit.ablate(top, to="mean")
        ns.Edit.amplify(top, by=2.0, where="prompt")
    """

    neurons: NeuronSet
    kind: EditKind
    scale: float
    where: Where = "all"
    reach: Reach = "own"
    value: float | Float[Tensor, "neuron"] = 0.0  # of clamp: the new activation; of push: what is added
    donors: tuple[str, ...] = ()  # sentences to resample from
    seed: int = 0  # of the draw of a donor for each depth

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("where", self.where, WHERES)
        _one_of("reach", self.reach, REACHES)
        if not math.isfinite(self.scale):
            raise InputError(f"scale must be a finite number, not {self.scale}")
        if not bool(torch.as_tensor(self.value).isfinite().all()):
            raise InputError("an edit's value must be finite")
        if self.kind == "resample" and not self.donors:
            raise InputError("resampling takes its activations from donor sentences: give donors=, train pairs say")

    @classmethod
    def ablate(
        cls,
        neurons: NeuronSet,
        to: Reference = "zero",
        *,
        where: Where = "all",
        reach: Reach = "own",
        donors: Pairs | Sequence[str] = (),
        seed: int = 0,
    ) -> Edit:
        """Replace the neurons' activations by zero, by their mean over token positions, or by a donor's activations.

        With `to="resample"` the activations at each depth (position) are those of one of the `donors` (train
        sentences), drawn by `seed`, the same one for every sentence.
        """
        _one_of("to", to, REFERENCES)
        return cls(neurons, to, 0.0, where, reach, donors=_sentences(donors), seed=seed)

    @classmethod
    def amplify(
        cls,
        neurons: NeuronSet,
        by: float,
        *,
        to: FixedReference = "zero",
        where: Where = "all",
        reach: Reach = "own",
    ) -> Edit:
        """Multiply the distance of the activations from zero, or from their mean (`to="mean"`), by a factor.

        `by=1` changes nothing, `by=0` ablates.
        """
        _one_of("to", to, FIXED_REFERENCES)
        return cls(neurons, to, float(by), where, reach)

    @classmethod
    def clamp(cls, neurons: NeuronSet, value: float, *, where: Where = "all", reach: Reach = "own") -> Edit:
        """Set the activations to a value."""
        return cls(neurons, "clamp", 0.0, where, reach, value=float(value))

    @classmethod
    def push(cls, probe: Probe, strength: float, *, where: Where = "all") -> Edit:
        """Move the states along a probe's direction by `strength` standard deviations of the train states."""
        return cls(probe.neurons, "push", 1.0, where, value=float(strength) * probe.std * probe.direction)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that are edited."""
        return tuple(sorted(set(self.neurons.reaching(self.reach).layers.tolist())))

    def on(self, neurons: NeuronSet) -> Edit:
        """The same edit of other neurons."""
        if self.kind == "push":
            raise InputError("a push belongs to its probe; it cannot be applied to other neurons")
        return replace(self, neurons=neurons)

    def scaled(self, scale: float) -> Edit:
        """The same edit at another scale. Raises `InputError` for clamps and pushes, which have none."""
        if self.kind not in REFERENCES:
            raise InputError(f"a {self.kind} has no scale")
        return replace(self, scale=float(scale))

    def by_layer(self, donor: Donor | None = None) -> dict[int, LayerEdit]:
        """The part of each layer. A resampling edit needs the activations of its `donor`."""
        neurons = self.neurons.reaching(self.reach)
        shift = self._shift(neurons, donor)
        parts = {}
        for layer in self.layers:
            at = neurons.layers == layer
            parts[layer] = LayerEdit(neurons.units[at], self.scale, shift[..., at])
        return parts

    def describe(self) -> AppliedEdit:
        """What results say of it: the `edit` object of JSON."""
        return read_record(
            AppliedEdit,
            {
                "kind": self.kind,
                "scale": self.scale,
                "value": float(self.value) if self.kind == "clamp" else None,
                "where": self.where,
                "reach": self.reach,
                "seed": self.seed if self.kind == "resample" else None,
                "site": self.neurons.site,
                "layers": self.layers,
                "k": len(self.neurons),
            },
        )

    def _shift(self, neurons: NeuronSet, donor: Donor | None) -> Tensor:
        if self.kind == "zero":
            return torch.zeros(len(neurons))
        if self.kind == "mean":
            return (1 - self.scale) * neurons.at("token_mean")
        if self.kind == "resample":
            if donor is None:
                raise InputError("resampling needs the donors' activations")
            rows = torch.tensor([donor.layers.index(layer) for layer in neurons.layers.tolist()], dtype=torch.long)
            return (1 - self.scale) * donor.values[:, rows, neurons.units]
        if self.kind == "clamp":
            return torch.full((len(neurons),), float(self.value))
        return torch.as_tensor(self.value)

    def __repr__(self) -> str:
        return f"Edit({self.kind}, scale {self.scale:g}, where {self.where}, {self.neurons!r})"


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name} '{value}' is not one of {', '.join(allowed)}{did_you_mean(value, allowed)}")


def _sentences(donors: Pairs | Sequence[str]) -> tuple[str, ...]:
    if isinstance(donors, Pairs):
        return tuple(sentence for pair in donors for sentence in (pair.good, pair.bad))
    return tuple(donors)
