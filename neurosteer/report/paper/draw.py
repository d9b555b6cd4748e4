"""Which figures an outcome has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from .agreement import agreement_figure
from .by_layer import masks_figure, ranks_figure, topk_figure
from .causal import measured_figure, predicted_figure
from .controls import controls_figure
from .matched import matched_figure
from .overlap import overlap_figure
from .transfer import transfer_figure

Row = Mapping[str, Any]

FIGURES: dict[str, dict[str, Callable[[Row, Row], Figure]]] = {
    "fig2": {"fig2": masks_figure},
    "fig3": {"fig3": topk_figure},
    "fig4": {"fig4": ranks_figure},
    "fig5": {"fig5": matched_figure},
    "fig6": {"fig6": transfer_figure, "fig6.pairwise": partial(transfer_figure, kind="pairwise")},
    "overlap": {"overlap": overlap_figure},
    "controls": {"controls": controls_figure},
    "causal": {
        "causal": measured_figure,
        "causal.predicted": predicted_figure,
        "causal.agreement": agreement_figure,
    },
}


def outcome_figures(outcome: Row) -> Iterator[tuple[str, Figure]]:
    """The name and the figure of everything that is drawn, experiment by experiment."""
    for result in outcome["results"]:
        for name, draw in FIGURES[result["experiment"]].items():
            yield name, draw(outcome, result)
