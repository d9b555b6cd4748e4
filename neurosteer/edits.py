"""`Edit`: what to do to which neurons in a forward pass, as data. A model's hooks apply it.

Every edit is `h <- scale * h + shift` on the chosen units. Ablation (scale 0) and amplification are the same
operation `h <- to + scale * (h - to)`, where the reference `to` is zero, the unit's mean, or a donor's activation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.arguments import expect, one_of
from neurosteer.errors import InputError
from neurosteer.layer_edits import Donor, LayerEdit
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pairs
from neurosteer.references import REFERENCE_POINTS, reference_of
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
class Edit:
    """What to do to neurons (`ablate`, `amplify`, `clamp`) or a direction (`push`, `project_out`, `keep_only`).

    Attributes:
        neurons: the units that are edited.
        kind: `zero`, `mean`, `resample`, `clamp` or `push`.
        scale: in `h <- to + scale * (h - to)`: 0 ablates, 1 changes nothing, above 1 amplifies.
        where: `all` (every token but BOS), `prompt`, `generated`, `eos`, or `every` (BOS too).
        reach: whether units are edited at their `own` layer, `onward` (every later layer too), or at `all` layers.
        value: of a clamp the new activation, of a push the vector that is added.
        donors: sentences whose activations `resample` takes.
        seed: decides the donor at each depth.
        direction: the direction, if it is an edit of one; `neurons` are then its units.
        rest: whether everything but the component along the direction is edited.

    Example:
        >>> ablate, along = ns.Edit.ablate(top, to="mean"), found.direction("mean")
        >>> ablate.scaled(0.5).scale, ablate.on(ranking.top(3)).target, ablate.describe().kind
        (0.5, NeuronSet(3 neurons at resid_post, layer 1), 'mean')
        >>> ns.Edit.amplify(top, by=2.0).scale, ns.Edit.clamp(top, 1.0).kind
        (2.0, 'clamp')
        >>> ns.Edit.push(along, 2.0).kind, ns.Edit.project_out(along).kind, ns.Edit.keep_only(along).rest
        ('push', 'zero', True)
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
    rest: bool = False  # all but the component along it

    def __post_init__(self) -> None:
        expect(self.neurons, NeuronSet, "neurons")
        one_of(self.kind, KINDS, "kind")
        one_of(self.where, WHERES, "where")
        one_of(self.reach, REACHES, "reach")
        if self.reach != "own" and self.neurons.group > 1:
            raise InputError(f"reach '{self.reach}' is for coordinates that layers share; a head is at its own layer")
        if not math.isfinite(self.scale):
            raise InputError(f"scale must be a finite number, not {self.scale}")
        if not bool(torch.as_tensor(self.value).isfinite().all()):
            raise InputError("an edit's value must be finite")
        if self.rest and self.direction is None:
            raise InputError("the rest is what a direction leaves: give direction= too")
        if self.direction is not None and self.kind != "push":
            _ = self.direction.layer  # a component that is edited is one of a single layer
        if self.needs_donors and not self.donors:
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
        """Replace the neurons' activations.

        Args:
            neurons: the neurons.
            to: by `zero`, by their `mean` over token positions, or `resample`: by the activations of a donor.
            where: at which tokens.
            reach: at which layers.
            donors: sentences to take activations from, such as train pairs: one is drawn for each depth (position).
            seed: decides the donors, the same for every sentence.
        """
        one_of(to, REFERENCES, "to")
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
        """Multiply the distance of the activations from zero, or from their mean.

        Args:
            neurons: the neurons.
            by: the factor; 1 changes nothing, 0 ablates.
            to: from where the distance is: `zero`, or the `mean` over token positions.
            where: at which tokens.
            reach: at which layers.
        """
        one_of(to, FIXED_REFERENCES, "to")
        return cls(neurons, to, float(by), where, reach)

    @classmethod
    def clamp(cls, neurons: NeuronSet, value: float, *, where: Where = "all", reach: Reach = "own") -> Edit:
        """Set the activations to a value.

        Args:
            neurons: the neurons.
            value: in units of the activation.
            where: at which tokens.
            reach: at which layers.
        """
        return cls(neurons, "clamp", 0.0, where, reach, value=float(value))

    @classmethod
    def push(cls, direction: Direction, strength: float, *, where: Where = "all") -> Edit:
        """Move the states along a direction.

        Args:
            direction: the direction.
            strength: how far, in standard deviations of the train states.
            where: at which tokens.
        """
        value = float(strength) * direction.std * direction.vector
        return cls(direction.neurons, "push", 1.0, where, value=value, direction=direction)

    @classmethod
    def project_out(
        cls, direction: Direction, to: FixedReference = "zero", *, scale: float = 0.0, where: Where = "all"
    ) -> Edit:
        """Take the component along a direction out of the states, and leave the rest of them as it is.

        Args:
            direction: the direction, of one layer.
            to: what the component becomes: `zero`, or its `mean` over token positions.
            scale: of the component's distance from there; 1 changes nothing, 2 amplifies it.
            where: at which tokens.

        Raises:
            InputError: for a direction of several layers.
        """
        one_of(to, FIXED_REFERENCES, "to")
        return cls(direction.neurons, to, float(scale), where, direction=direction)

    @classmethod
    def keep_only(
        cls,
        direction: Direction,
        to: Reference = "mean",
        *,
        where: Where = "all",
        donors: Pairs | Sequence[str] = (),
        seed: int = 0,
    ) -> Edit:
        """Keep the component along a direction, and ablate the rest of the states.

        Args:
            direction: the direction, of one layer.
            to: by what the rest is replaced: `zero`, its `mean` over token positions, or a donor's (`resample`).
            where: at which tokens.
            donors: sentences to take activations from, such as train pairs: one is drawn for each depth (position).
            seed: decides the donors, the same for every sentence.

        Raises:
            InputError: for a direction of several layers.
        """
        one_of(to, REFERENCES, "to")
        found = _sentences(donors)
        return cls(direction.neurons, to, 0.0, where, donors=found, seed=seed, direction=direction, rest=True)

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that are edited."""
        return tuple(sorted(set(self.neurons.reaching(self.reach).layers.tolist())))

    @property
    def needs_donors(self) -> bool:
        """Whether its reference is no fixed one, but the activations of donor sentences."""
        reference = reference_of(self.kind)
        return reference is not None and not REFERENCE_POINTS[reference].fixed

    @property
    def target(self) -> NeuronSet | Direction:
        """The neurons, or the direction."""
        return self.neurons if self.direction is None else self.direction

    def on(self, other: NeuronSet | Direction) -> Edit:
        """Make the same edit of something else; a push goes as far along another direction.

        Args:
            other: neurons, or a direction where this is an edit of one.
        """
        if isinstance(other, Direction) != (self.direction is not None):
            raise InputError("an edit along a direction fits directions alone, one of neurons fits neurons")
        if isinstance(other, NeuronSet):
            return replace(self, neurons=other)
        value = (
            self.value if self.kind != "push" else float(self._along() @ torch.as_tensor(self.value)) * other.vector
        )
        return replace(self, neurons=other.neurons, direction=other, value=value)

    def scaled(self, scale: float) -> Edit:
        """Make the same edit at another scale.

        Args:
            scale: the scale; 0 ablates.

        Raises:
            InputError: for clamps and pushes, which have no scale.
        """
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
            parts[layer] = LayerEdit(neurons.units[at], self.scale, shift[..., at], along, self.rest)
        return parts

    def describe(self) -> AppliedEdit:
        """The `edit` object of JSON."""
        return read_record(
            AppliedEdit,
            {
                "kind": self.kind,
                "scale": self.scale,
                "value": self._described_value(),
                "where": self.where,
                "reach": self.reach,
                "seed": self.seed if self.needs_donors else None,
                "site": self.neurons.site,
                "layers": self.layers,
                "k": len(self.target.members),
                "by": self.target.by,
                "rest": self.rest,
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
        match self.kind:
            case "zero":
                return torch.zeros(len(neurons))
            case "mean":
                return (1 - self.scale) * neurons.at("token_mean")
            case "resample":
                if donor is None:
                    raise InputError("resampling needs the donors' activations")
                return (1 - self.scale) * donor.at(neurons.layers.tolist(), neurons.units)
            case "clamp":
                return torch.full((len(neurons),), float(self.value))
            case "push":
                return torch.as_tensor(self.value)
            case kind:
                assert_never(kind)

    def __repr__(self) -> str:
        return f"Edit({self.kind}, scale {self.scale:g}, where {self.where}, {self.target!r})"


def _sentences(donors: Pairs | Sequence[str]) -> tuple[str, ...]:
    if isinstance(donors, Pairs):
        return tuple(sentence for pair in donors for sentence in (pair.good, pair.bad))
    return tuple(donors)
