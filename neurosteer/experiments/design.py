"""What a recipe asks for, made definite for one model."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Literal

from neurosteer.errors import InputError
from neurosteer.experiments.recipe.recipe import CHOSEN, Recipe
from neurosteer.model import Model, check_site, resolve_layers, site_width
from neurosteer.neurons import resolve_topk
from neurosteer.probes import L0Settings
from neurosteer.studies.matching import random_sizes
from neurosteer.vocabulary import Position, Site

Need = Literal[
    "masks",  # L0 masks at every layer
    "topk_grid",  # probes on the top k of every layer, for a grid of k
    "random_sets",  # probes on random units of every layer, beside the top k
    "variants",  # all of these in a rotated basis and in an untrained model too
    "states",  # states of every layer alone
    "one_layer",  # probes and neuron sets of one layer
    "stability",  # the same sets from parts of the pairs and from other splits
    "transfer",  # the probes of one layer on the sentences of other tasks
]
LAYER_PROBES: Set[Need] = frozenset({"masks", "topk_grid", "random_sets"})
FEWEST_LAYERS = 3  # of a trend over layers
NEURONS, ROTATED, UNTRAINED = "neurons", "rotated", "untrained"
VARIANTS = (NEURONS, ROTATED, UNTRAINED)


@dataclass(frozen=True)
class Design:
    """Settings of all experiments. `layer` is the block that fig6, overlap and causal ask about."""

    needs: Set[Need]  # of all experiments of the recipe
    width: int  # units of a layer
    layers: tuple[int, ...]
    k: int
    ks: tuple[int, ...]
    sizes: tuple[int, ...]  # of random sets
    lambdas: tuple[float, ...]
    draws: int
    seed: int
    layer: int
    lam: float | None  # of the layer that is looked at; None: chosen on validation, task by task
    site: Site
    position: Position
    l0: L0Settings  # how masks are trained

    @classmethod
    def of(cls, recipe: Recipe, model: Model, needs: Set[Need]) -> Design:
        """Raises `InputError` for layers, a site or a k that the model does not have."""
        layers = resolve_layers(model, recipe.layers)
        if recipe.lam == CHOSEN and not any(lam < 1 for lam in recipe.lambdas):
            raise InputError(f"lambda {CHOSEN} has nothing to choose from: lambdas has none below 1")
        layer = max(0, model.n_layers // 2 - 1) if recipe.layer == "middle" else int(recipe.layer)
        check_site(model, recipe.site, (*layers, layer))
        width = site_width(model, recipe.site, sorted({*layers, layer}))
        k = resolve_topk(recipe.topk, width)
        if 2 * k > width:
            raise InputError(f"topk {k} leaves no {k} other units of the {width}; choose fewer")
        powers = {2**i for i in range(width.bit_length())}
        return cls(
            needs=needs,
            width=width,
            layers=layers,
            k=k,
            ks=tuple(sorted({power for power in powers if power < width} | {k, width})),
            sizes=random_sizes(k, width),
            lambdas=tuple(sorted(set(recipe.lambdas))),
            draws=recipe.draws,
            seed=recipe.seed,
            layer=layer,
            lam=None if recipe.lam == CHOSEN else float(recipe.lam),
            site=recipe.site,
            position=recipe.position,
            l0=recipe.l0,
        )

    @property
    def probes_layers(self) -> bool:
        """Whether every layer is probed."""
        return bool(self.needs & LAYER_PROBES)

    @property
    def one_layer_lambdas(self) -> tuple[float, ...]:
        """The lambdas that masks are trained for at the one layer: a single one, or all below 1."""
        return (self.lam,) if self.lam is not None else tuple(lam for lam in self.lambdas if lam < 1)

    @property
    def tops(self) -> tuple[int, ...]:
        """How many units of the largest |t| probes are fitted on, the dense one apart."""
        grid = set(self.ks) if "topk_grid" in self.needs else set()
        wanted = grid | ({self.k} if "random_sets" in self.needs else set())
        return tuple(sorted(wanted - {self.width}))

    @property
    def variants(self) -> tuple[str, ...]:
        """The bases and models that are probed at every layer."""
        if not self.probes_layers:
            return ()
        return VARIANTS if "variants" in self.needs else VARIANTS[:1]

    @property
    def states_layers(self) -> tuple[int, ...]:
        """The layers whose states are computed."""
        every = self.layers if self.probes_layers or "states" in self.needs else ()
        return tuple(sorted({*every, *((self.layer,) if "one_layer" in self.needs else ())}))
