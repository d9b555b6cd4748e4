"""What a recipe asks for, made definite for one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError
from neurosteer.model import Model, check_site, resolve_layers, site_width
from neurosteer.neurons import resolve_topk
from neurosteer.probes import L0Settings
from neurosteer.runner.recipe import CHOSEN, Recipe
from neurosteer.studies.matching import random_sizes

PROBED = ("fig2", "fig3", "fig4", "fig5", "controls")  # experiments that look at every layer
LEAST_LAYERS = 3  # of a trend over layers
TRAINED_ANEW = "sensitivity"  # that trains masks in many ways
CROSSED = ("l0_states", "l0_start", "l0_log_alpha")  # what it varies itself
FOCUSED = ("fig6", "overlap", "causal")  # those that look at one
MASKED = {"fig2", "fig4", "controls"}  # those that fit L0 masks at every layer
GROWN = {"fig3", "controls"}  # those that fit the top k for a grid of k
MATCHED = {"fig5", "controls"}  # those that hold the top k against random units
NEURONS, ROTATED, UNTRAINED = "neurons", "rotated", "untrained"
VARIANTS = (NEURONS, ROTATED, UNTRAINED)


@dataclass(frozen=True)
class Design:
    """Settings of all experiments. `layer` is the block that fig6, overlap and causal look at."""

    experiments: tuple[str, ...]
    width: int
    layers: tuple[int, ...]
    k: int
    ks: tuple[int, ...]
    sizes: tuple[int, ...]  # of random sets
    lambdas: tuple[float, ...]
    draws: int
    seed: int
    layer: int
    lam: float | None  # of the layer that is looked at; None: chosen on validation, task by task
    site: str
    position: str
    folds: int
    repeats: int
    l0: L0Settings  # how masks are trained
    unpenalised_steps: tuple[int, ...]  # of sensitivity

    @classmethod
    def of(cls, recipe: Recipe, model: Model) -> Design:
        """Raises `InputError` for layers, a site or a k that the model does not have."""
        layers = resolve_layers(model, recipe.layers)
        cls._check(recipe, len(layers))
        layer = max(0, model.n_layers // 2 - 1) if recipe.layer == "middle" else int(recipe.layer)
        check_site(model, recipe.site, (*layers, layer))
        width = site_width(model, recipe.site)
        k = resolve_topk(recipe.topk, width)
        if 2 * k > width:
            raise InputError(f"topk {k} leaves no {k} other units of the {width}; choose fewer")
        powers = {2**i for i in range(width.bit_length())}
        return cls(
            experiments=recipe.experiments,
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
            folds=recipe.folds,
            repeats=recipe.repeats,
            l0=recipe.l0,
            unpenalised_steps=recipe.unpenalised_steps,
        )

    @staticmethod
    def _check(recipe: Recipe, layers: int) -> None:
        if recipe.lam == CHOSEN and not any(lam < 1 for lam in recipe.lambdas):
            raise InputError(f"lambda {CHOSEN} has nothing to choose from: lambdas has none below 1")
        if TRAINED_ANEW in recipe.experiments and (recipe.lam not in recipe.lambdas or recipe.lam == 1):
            raise InputError(
                f"{TRAINED_ANEW} looks at one of its lambdas below 1; lambda {recipe.lam} is none of them"
            )
        if TRAINED_ANEW in recipe.experiments and layers < LEAST_LAYERS:
            raise InputError(
                f"{TRAINED_ANEW} asks for trends over layers: give at least {LEAST_LAYERS}, not {layers}"
            )
        crossed = [name for name in CROSSED if getattr(recipe, name) is not None]
        if TRAINED_ANEW in recipe.experiments and crossed:
            raise InputError(f"{TRAINED_ANEW} trains masks in every way: leave {', '.join(crossed)} out")
        if "controls" in recipe.experiments and recipe.l0_states not in (None, "standardised"):
            raise InputError(f"controls rotate standardised states: leave l0_states {recipe.l0_states} out")

    @property
    def probes(self) -> bool:
        """Whether every layer is probed."""
        return any(name in PROBED for name in self.experiments)

    @property
    def focuses(self) -> bool:
        """Whether one layer is looked at."""
        return any(name in FOCUSED for name in self.experiments)

    @property
    def trains_anew(self) -> bool:
        """Whether masks are trained in every variant."""
        return TRAINED_ANEW in self.experiments

    @property
    def focus_lambdas(self) -> tuple[float, ...]:
        """The lambdas that masks are trained for at the layer that is looked at: one, or all below 1."""
        return (self.lam,) if self.lam is not None else tuple(lam for lam in self.lambdas if lam < 1)

    @property
    def masks(self) -> bool:
        """Whether L0 masks are fitted at every layer."""
        return bool(MASKED & set(self.experiments))

    @property
    def grows(self) -> bool:
        """Whether probes are fitted on the top k for every k."""
        return bool(GROWN & set(self.experiments))

    @property
    def matches(self) -> bool:
        """Whether probes are fitted on random units."""
        return bool(MATCHED & set(self.experiments))

    @property
    def tops(self) -> tuple[int, ...]:
        """How many units of the largest |t| probes are fitted on, the dense one apart."""
        wanted = (set(self.ks) if self.grows else set()) | ({self.k} if self.matches else set())
        return tuple(sorted(wanted - {self.width}))

    @property
    def variants(self) -> tuple[str, ...]:
        """The bases and models that are probed at every layer."""
        if not self.probes:
            return ()
        return VARIANTS if "controls" in self.experiments else VARIANTS[:1]

    @property
    def states_layers(self) -> tuple[int, ...]:
        """The layers whose states are computed."""
        wanted = {*(self.layers if self.probes or self.trains_anew else ()), *((self.layer,) if self.focuses else ())}
        return tuple(sorted(wanted))

    def describe(self, model: Model) -> dict[str, Any]:
        """The `settings` of the outcome."""
        return {
            "k": self.k,
            "width": self.width,
            "n_layers": model.n_layers,
            "layers": list(self.layers),
            "ks": list(self.ks),
            "sizes": list(self.sizes),
            "lambdas": list(self.lambdas),
            "draws": self.draws,
            "layer": self.layer,
            "lambda": CHOSEN if self.lam is None else self.lam,
            "site": self.site,
            "position": self.position,
            "l0": self.l0.settings(),
        }
