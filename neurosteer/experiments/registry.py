"""Every experiment that a recipe can ask for: the modules of this room that have an `EXPERIMENT`, a line each."""

from __future__ import annotations

from importlib import import_module

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
