"""The masked probes of a block of layers, by lambda: an L0 penalty chooses which units they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.probes import L0, L0Probes, L0Settings, Probes, fit_l0_at
from neurosteer.seeds import generator
from neurosteer.vocabulary import ENOUGH

from .examples import Examples


@dataclass(frozen=True, eq=False)
class Masks:
    """The masked probes of some layers by lambda; `train` is what they were trained on, in its own units."""

    fitted: L0Probes  # for `train`
    train: Float[Tensor, "layer sample unit"]
    probes: Probes  # effective weights, for standardised states

    @property
    def gates(self) -> Float[Tensor, "layer lambda unit"]:
        return self.fitted.gates

    @property
    def kept(self) -> Float[Tensor, "layer lambda"]:
        """Share of units whose gate is above 0."""
        return self.fitted.kept


def mask_noise(task: str, layers: Sequence[int], seed: int) -> list[torch.Generator]:
    """What the masked probes of each layer start from and are trained with, whatever the lambda."""
    return [generator(seed, task, layer, "l0") for layer in layers]


def fit_masks(
    examples: Examples,
    lambdas: Sequence[float],
    noise: Sequence[torch.Generator],
    settings: L0Settings = L0,
    group: int = 1,
) -> Masks:
    """The masked probes of the layers by lambda; those of one layer differ by their lambda and not by their noise."""
    [[masks]] = fit_masks_at(examples, lambdas, noise, [settings.steps], [settings], group)
    return masks


def fit_masks_at(
    examples: Examples,
    lambdas: Sequence[float],
    noise: Sequence[torch.Generator],
    steps: Sequence[int],
    settings: Sequence[L0Settings],
    group: int = 1,
) -> list[list[Masks]]:
    """The same masked probes `[settings][steps]` from several starts, after several numbers of steps.

    Starts are trained together, so settings may differ in nothing else; see `fit_l0_at`.
    """
    common, runs = settings[0], len(lambdas)
    scale, shift = _coordinates(examples, common)
    train, warm = examples.x["train"] * scale + shift, None
    if any(one.start == "warm" for one in settings):
        dense = examples.fit(torch.full((len(examples.layers), 1), common.warm_l2, device=train.device))
        weights = dense.weights / scale
        warm = Probes(weights, dense.bias - (weights * shift).sum(dim=2))
    fitted = fit_l0_at(
        train,
        examples.y["train"],
        [*lambdas] * len(settings),
        [[source] * runs * len(settings) for source in noise],
        steps=steps,
        settings=[one for one in settings for _ in lambdas],
        dense=warm,
        columns=runs * len(settings) if len(settings) > 1 else None,
        group=group,
    )
    parts = [[fit.part(runs=slice(runs * i, runs * (i + 1))) for fit in fitted] for i in range(len(settings))]
    return [[Masks(fit, train, _standardised(fit.probes, scale, shift)) for fit in one] for one in parts]


def _coordinates(
    examples: Examples, settings: L0Settings
) -> tuple[Float[Tensor, "layer 1 unit"], Float[Tensor, "layer 1 unit"]]:
    """Standardised states times the first plus the second are the states that masks are trained on.

    Raises `ValueError` for other than standardised ones of examples that no longer know how they were standardised.
    """
    if settings.states == "standardised":
        ones = torch.ones_like(examples.x["train"][:, :1])
        return ones, torch.zeros_like(ones)
    if examples.standard is None:
        raise ValueError("these examples do not know how they were standardised")
    mean, scale = examples.standard.mean, examples.standard.scale
    level = examples.standard.level if settings.states == "scaled" else 1.0
    return scale / level, mean / level


def _standardised(
    probes: Probes, scale: Float[Tensor, "layer 1 unit"], shift: Float[Tensor, "layer 1 unit"]
) -> Probes:
    """The same probes for standardised states."""
    return Probes(probes.weights * scale, probes.bias + (probes.weights * shift).sum(dim=2))


def chosen_lambda(validation: Sequence[float], dense: float) -> tuple[int, bool]:
    """Of ascending lambdas the place of the smallest whose validation accuracy reaches 95 % of the dense probe's.

    Where none does, of the most accurate one, and False.
    """
    good = [place for place, accuracy in enumerate(validation) if accuracy >= ENOUGH * dense]
    return (good[0], True) if good else (max(range(len(validation)), key=validation.__getitem__), False)
