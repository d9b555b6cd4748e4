"""What a direction is compared with: random directions of the same states, and directions of exchanged labels.

A random direction within the covariance of the train states is a random sum of their deviations from the mean: it
lies where states vary, as the direction itself does, and knows nothing of good and bad. On exchanged labels (each
item by lot, all its pairs together) the same search finds a direction where there is nothing to find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import BAD, GOOD
from neurosteer.errors import InputError
from neurosteer.forward import states_and_stats
from neurosteer.model import Model
from neurosteer.neurons import Direction, check_count
from neurosteer.pairs import Pairs
from neurosteer.probes import Standard, fit_logistic, labelled
from neurosteer.progress import Progress
from neurosteer.seeds import generator
from neurosteer.studies.bootstrap import groups_in
from neurosteer.vocabulary import DIRECTION_KINDS, DirectionKind

States = Float[Tensor, "pair side unit"]


@dataclass(frozen=True, eq=False)
class DirectionControls:
    """Those of one direction; `exchanged` is empty for a direction of your own."""

    random: Sequence[Direction] = ()
    exchanged: Sequence[Direction] = ()


def direction_controls(
    model: Model, direction: Direction, train: Pairs | None, n: int, seed: int, progress: Progress
) -> DirectionControls:
    """`n` of each kind, from the states of the pairs that the direction was found on.

    Raises `InputError` without such pairs, and for a number of controls that cannot be drawn.
    """
    check_count(n)
    if not n:
        return DirectionControls()
    if train is None or len(train) < 2:
        raise InputError("controls of a direction are drawn from states of train pairs: give train=, or controls=0")
    states = train_states(model, direction, train, progress)
    random = [like(direction, one, states) for one in random_directions(states, n, seed)]
    flips = exchanged_items(train, n, seed)
    exchanged = searched_again(direction, states, flips)
    return DirectionControls(random, [like(direction, one, states) for one in exchanged])


def train_states(model: Model, direction: Direction, train: Pairs, progress: Progress) -> States:
    """Of the units that the direction has a value for."""
    found, _ = states_and_stats(
        model,
        train,
        range(len(train)),
        site=direction.neurons.site,
        layers=[direction.layer],
        position=direction.metadata.get("position", "eos"),
        progress=progress,
    )
    return found.values[:, :, 0][:, :, direction.neurons.units].double()


def random_directions(states: States, n: int, seed: int) -> list[Float[Tensor, "unit"]]:
    """Normal draws whose covariance is that of the states. Draw i is the same one however many are drawn."""
    deviations = (states - states.mean(dim=(0, 1))).flatten(0, 1)
    return [
        torch.randn(len(deviations), generator=generator(seed, "direction", i), dtype=torch.double) @ deviations
        for i in range(n)
    ]


def exchanged_items(pairs: Pairs, n: int, seed: int) -> Tensor:
    """Which pairs each draw exchanges `[draw pair]`; those of one item go together."""
    groups = torch.from_numpy(groups_in(pairs))
    count = int(groups.max()) + 1
    draws = [torch.rand(count, generator=generator(seed, pairs.task, "labels", i)) < 0.5 for i in range(n)]
    return torch.stack(draws)[:, groups]


def is_searched(direction: Direction) -> bool:
    """Whether a find has searched it; a vector of your own was not."""
    return direction.metadata.get("kind") in DIRECTION_KINDS


def searched_again(direction: Direction, states: States, flips: Tensor) -> list[Float[Tensor, "unit"]]:
    """What the search of a direction finds after each exchange `[draw pair]`; nothing for a vector of your own."""
    if not is_searched(direction):
        return []
    return exchanged_directions(states, flips, direction.metadata["kind"], l2=_strength(direction))


def exchanged_directions(
    states: States, flips: Tensor, kind: DirectionKind, l2: float
) -> list[Float[Tensor, "unit"]]:
    """What the same search finds where good and bad of some pairs are exchanged."""
    turned = (torch.where(flip[:, None, None], states.flip(1), states) for flip in flips)
    if kind == "mean":
        return [one[:, GOOD].mean(dim=0) - one[:, BAD].mean(dim=0) for one in turned]
    return [_probe(one, l2) for one in turned]


def _probe(states: States, l2: float) -> Float[Tensor, "unit"]:
    """The weights of a dense probe, for raw activations."""
    x, y = labelled(states[:, :, None].float())
    standard = Standard.of(x)
    probes = fit_logistic(standard(x), y, torch.full((1, 1), l2))
    return (probes.weights[0, 0] / standard.scale[0, 0]).double()


def _strength(direction: Direction) -> float:
    """The L2 strength of the probe, which its controls share."""
    chosen = direction.metadata.get("probes", {}).get("l2", {})
    return float(chosen.get(str(direction.layer), 1.0))


def like(direction: Direction, vector: Float[Tensor, "unit"], states: States) -> Direction:
    """A vector as a control: how much of it is the direction itself, and how its spread differs."""
    vector = vector / vector.norm().clamp_min(torch.finfo(torch.double).tiny)
    std = float((states.flatten(0, 1) @ vector).std(correction=0))
    known = float((states.flatten(0, 1) @ direction.vector.double()).std(correction=0))
    shared = float(vector @ direction.vector.double()) ** 2
    apart = abs(std - known) / known if known > 0 else 0.0
    return direction.along(vector, std, control=True, overlap=shared, unmatched=apart)
