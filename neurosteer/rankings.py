"""Every way to rank neurons, by the words of `vocabulary.Method`: what its score is, and what a high one says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from neurosteer.vocabulary import Method

Colour = Literal["blue", "vermilion", "green", "purple", "sky", "orange", "wine", "grey"]
COLOURS: tuple[Colour, ...] = get_args(Colour)


@dataclass(frozen=True)
class RankingMethod:
    """One of them.

    Attributes:
        score: the number that a unit gets; the larger, the higher it ranks. Unless it is above 0 it is never chosen.
        reads: what it is computed from.
        shows: that a probe can read the contrast from the unit (`encoded`), or that the model does (`used`).
        source: where it comes from.
        colour: in every figure and page that compares methods.
        marker: beside it in figures, as matplotlib names it; on pages each colour has a shape of its own.
        of_head: how the score of a head is made of those of its units: their `sum`, or the root of their mean square
            (`rms`). None where it ranks units alone.
        unit: in what the score is measured, for an axis.
    """

    score: str
    reads: str
    shows: Literal["encoded", "used"]
    source: str
    colour: Colour
    marker: str
    of_head: Literal["rms", "sum"] | None = None
    unit: str = ""


RANKINGS: Mapping[Method, RankingMethod] = {
    "welch": RankingMethod(
        "Welch's |t| of good against bad states",
        "states",
        "encoded",
        "the paper",
        "blue",
        "s",
        of_head="rms",
        unit="|t|",
    ),
    "l0": RankingMethod(
        "the size of its weight in a probe with a learned sparse mask; 0 where the mask is closed",
        "states",
        "encoded",
        "the paper; Louizos, Welling & Kingma 2018",
        "green",
        "^",
        of_head="rms",
        unit="size of its weight",
    ),
    "mean-diff": RankingMethod(
        "how far the means of good and bad states lie apart, in pooled standard deviations",
        "states",
        "encoded",
        "Cohen 1988; Gurnee et al. 2023",
        "sky",
        "v",
        of_head="rms",
        unit="standard deviations",
    ),
    "l1": RankingMethod(
        "how early the unit enters an L1-penalised probe while the penalty falls; 0 where it never does",
        "states",
        "encoded",
        "Gurnee et al. 2023",
        "orange",
        "<",
        unit="penalties from the end",
    ),
    "localizer": RankingMethod(
        "Welch's t of the size of the state, good above bad; below 0 where bad is larger",
        "states",
        "encoded",
        "AlKhamissi et al. 2025; Kryvosheieva et al. 2025",
        "wine",
        "P",
        unit="t",
    ),
    "attribution": RankingMethod(
        "the predicted drop of the mean margin (nats) when the unit is ablated",
        "gradients of the margin",
        "used",
        "Nanda 2023; Kramar et al. 2024",
        "vermilion",
        "o",
        of_head="sum",
        unit="nats",
    ),
    "causal-l0": RankingMethod(
        "how long the unit's gate stays open in a learned mask while its price rises; 0 where it never opens",
        "gradients of the margin under gates",
        "used",
        "here; gates of Louizos, Welling & Kingma 2018",
        "purple",
        "D",
        unit="share of the path",
    ),
}


def ranking_method(method: str) -> RankingMethod | None:
    """What is known of the method that chose neurons; None of neurons that were given."""
    return next((known for name, known in RANKINGS.items() if name == method), None)


def shown_by(method: str) -> str:
    """`encoded: `, before the name of a method whose neurons are; nothing of neurons that were given."""
    known = ranking_method(method)
    return f"{known.shows}: " if known else ""
