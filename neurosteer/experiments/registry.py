"""Every experiment that a recipe can ask for. A new one is one line here."""

from __future__ import annotations

from collections.abc import Sequence

from . import causal, controls, fig2, fig3, fig4, fig5, fig6, overlap, sensitivity
from .design import Need
from .experiment import Experiment

_ALL = (
    fig2.EXPERIMENT,
    fig3.EXPERIMENT,
    fig4.EXPERIMENT,
    fig5.EXPERIMENT,
    fig6.EXPERIMENT,
    overlap.EXPERIMENT,
    controls.EXPERIMENT,
    sensitivity.EXPERIMENT,
    causal.EXPERIMENT,
)
EXPERIMENTS: dict[str, Experiment] = {experiment.name: experiment for experiment in _ALL}


def needs_of(names: Sequence[str]) -> frozenset[Need]:
    """The shared units that these experiments read."""
    return frozenset().union(*(EXPERIMENTS[name].needs for name in names))
