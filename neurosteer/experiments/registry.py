"""Every experiment that a recipe can ask for: the modules of this room that have an `EXPERIMENT`, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from neurosteer.errors import InputError, did_you_mean

from .experiment import Experiment

NAMES = (
    "fig2",
    "fig3",
    "fig4",
    "fig5",
    "fig6",
    "overlap",
    "controls",
    "sensitivity",
    "causal",
)
EXPERIMENTS: dict[str, Experiment] = {name: import_module(f".{name}", __package__).EXPERIMENT for name in NAMES}


def experiments_of(names: Sequence[str]) -> list[Experiment]:
    """In this order. Raises `InputError` for a name that is none of them."""
    for name in names:
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            raise InputError(f"unknown experiment '{name}'{did_you_mean(name, EXPERIMENTS)} (there are: {known})")
    return [EXPERIMENTS[name] for name in names]
