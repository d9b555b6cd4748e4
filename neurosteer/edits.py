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

from neurosteer.arguments import expect, one_of
from neurosteer.errors import InputError
from neurosteer.neurons import Direction, NeuronSet
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
    """One layer's part of an edit: `h[units] <- scale * h[units] + shift`; the shift can differ by depth.

    With `along`, a vector of length 1, only the component along it is scaled: the rest of h stays as it is.
    """

    units: Int[Tensor, "neuron"]
    scale: float
    shift: Float[Tensor, "neuron"] | Float[Tensor, "depth neuron"]
    along: Float[Tensor, "neuron"] | None = None


@dataclass(frozen=True, eq=False)
class Donor:
    """Activations to resample from: at each depth (position) those of one train sentence, at all units of a layer."""

    values: Float[Tensor, "depth layer unit"]
    layers: tuple[int, ...]

    def __repr__(self) -> str:
        depths, layers, width = self.values.shape
        return f"Donor({depths} depths, {layers} layers x {width} units)"


@dataclass(frozen=True, eq=False)
class Edit:
    """What to do to a neuron set, or along a direction, and at which positions.

    Create one with `ablate`, `amplify` or `clamp`, or for a direction with `push` or `project_out`.

    `where` is `all` (every token but BOS), `prompt`, `generated`, `eos`, or `every` (BOS too). `reach` says whether
    the units are edited at their `own` layer, `onward` (also at every later layer), or at `all` layers. Raises
    `InputError` for another word, and for a scale or value that is not finite.

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
    direction: Direction | None = None  # along which alone; `neurons` are then its units

    def __post_init__(self) -> None:
        expect(self.neurons, NeuronSet, "neurons")
        one_of("kind", self.kind, KINDS)
        one_of("where", self.where, WHERES)
        one_of("reach", self.reach, REACHES)
        if self.reach != "own" and self.neurons.group > 1:
            raise InputError(f"reach '{self.reach}' is for coordinates that layers share; a head is at its own layer")
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
        one_of("to", to, REFERENCES)
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
        one_of("to", to, FIXED_REFERENCES)
        return cls(neurons, to, float(by), where, reach)

    @classmethod
    def clamp(cls, neurons: NeuronSet, value: float, *, where: Where = "all", reach: Reach = "own") -> Edit:
        """Set the activations to a value."""
        return cls(neurons, "clamp", 0.0, where, reach, value=float(value))

    @classmethod
    def push(cls, direction: Direction, strength: float, *, where: Where = "all") -> Edit:
        """Move the states along a direction by `strength` standard deviations of the train states."""
        value = float(strength) * direction.std * direction.vector
        return cls(direction.neurons, "push", 1.0, where, value=value, direction=direction)

    @classmethod
    def project_out(
        cls, direction: Direction, to: FixedReference = "zero", *, scale: float = 0.0, where: Where = "all"
    ) -> Edit:
        """Take the component along a direction out of the states, and leave the rest of them as it is.

        With `to="mean"` the component becomes that of the mean over token positions; with another `scale` its
        distance from there is multiplied (2 amplifies it, 1 changes nothing). Raises `InputError` for a direction of
        several layers, which has no one component.
        """
        one_of("to", to, FIXED_REFERENCES)
        if len(set(direction.neurons.layers.tolist())) != 1:
            raise InputError("only a direction of one layer can be projected out")
        return cls(direction.neurons, to, float(scale), where, direction=direction)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that are edited."""
        return tuple(sorted(set(self.neurons.reaching(self.reach).layers.tolist())))

    @property
    def target(self) -> NeuronSet | Direction:
        """What it acts on."""
        return self.neurons if self.direction is None else self.direction

    def on(self, other: NeuronSet | Direction) -> Edit:
        """The same edit of other neurons, or along another direction; a push goes as far along it."""
        if isinstance(other, Direction) != (self.direction is not None):
            raise InputError("an edit along a direction fits directions alone, one of neurons fits neurons")
        if isinstance(other, NeuronSet):
            return replace(self, neurons=other)
        value = (
            self.value if self.kind != "push" else float(self._along() @ torch.as_tensor(self.value)) * other.vector
        )
        return replace(self, neurons=other.neurons, direction=other, value=value)

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
            along = None if self.direction is None or self.kind == "push" else self._along()[at]
            parts[layer] = LayerEdit(neurons.units[at], self.scale, shift[..., at], along)
        return parts

    def describe(self) -> AppliedEdit:
        """What results say of it: the `edit` object of JSON."""
        return read_record(
            AppliedEdit,
            {
                "kind": self.kind,
                "scale": self.scale,
                "value": self._described_value(),
                "where": self.where,
                "reach": self.reach,
                "seed": self.seed if self.kind == "resample" else None,
                "site": self.neurons.site,
                "layers": self.layers,
                "k": len(self.target.members),
                "by": self.target.by,
            },
        )

    def _along(self) -> Float[Tensor, "neuron"]:
        assert self.direction is not None
        return self.direction.vector

    def _described_value(self) -> float | None:
        """What a clamp sets to, and how far a push goes."""
        if self.kind == "push" and self.direction is not None:
            return round(float(self._along().double() @ torch.as_tensor(self.value).double()), 6)
        return float(self.value) if self.kind == "clamp" else None

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
        return f"Edit({self.kind}, scale {self.scale:g}, where {self.where}, {self.target!r})"


def _sentences(donors: Pairs | Sequence[str]) -> tuple[str, ...]:
    if isinstance(donors, Pairs):
        return tuple(sentence for pair in donors for sentence in (pair.good, pair.bad))
    return tuple(donors)
