"""What pages say of one neuron, on its own card or inside the page of a run: its place in rankings, and its size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from neurosteer.report.numbers import NONE
from neurosteer.report.table import Table
from neurosteer.results.card import PlaceInRanking

MASSIVE = 10  # times the median unit of its layer, in root mean square


@dataclass(frozen=True)
class Size:
    """How large a neuron is, where that is known: over tokens, and at EOS."""

    mean: float
    sd: float
    massive: bool
    eos: tuple[float, float] | None = None  # mean and standard deviation
    bos: float | None = None
    sink: bool = False
    beside: float | None = None  # its root mean square, in medians of its layer


def places_table(places: Sequence[PlaceInRanking], caption: str, *, runs: bool = True) -> Table:
    """A row for each task and method; without `runs` all are of one task and run, which are not named."""
    rows = tuple(
        (
            *((one.task,) if runs else ()),
            one.method,
            f"{one.score:.4g}",
            f"{one.place:,} of {one.among:,}",
            f"{one.place_in_layer:,}",
            *((one.run,) if runs else ()),
        )
        for one in places
    )
    heads = ("ranking", "score", "place", "in its layer")
    return Table(caption, ("task", *heads, "run") if runs else heads, rows, left=2 if runs else 1)


def size_table(size: Size) -> Table:
    """Its values in numbers."""
    rows = [("mean over tokens", _shown(size.mean)), ("standard deviation", _shown(size.sd))]
    if size.eos:
        rows += [("mean at EOS", _shown(size.eos[0])), ("standard deviation at EOS", _shown(size.eos[1]))]
    else:
        rows.append(("at BOS", "no BOS" if size.bos is None else _shown(size.bos) + " (a sink)" * size.sink))
    if size.beside is not None:
        rows.append(("root mean square, in medians of its layer", f"{size.beside:.3g}"))
    rows.append(
        ("massive" if size.beside is None else f"massive: {MASSIVE} or more", "yes" if size.massive else "no")
    )
    return Table("BOS itself is left out of mean and deviation", ("", "value"), tuple(rows))


def _shown(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else NONE


def anchor(layer: int, unit: int) -> str:
    """Where the card of a neuron is, within its view: the middle of a link."""
    return f"neuron-{layer}:{unit}"
