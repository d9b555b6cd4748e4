"""Where and when the preference is decided: a heat map of layers and regions of factorial items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from neurosteer.results.evidence import EvidenceResult, MapCell
from neurosteer.vocabulary import REGIONS, counted

from .canvas import FAINT, LAYER, as_written, finish, headline, headline_height, new_figure, own_style, short_name
from .edit_labels import in_layers
from .numbers import count_range, number
from .palette import rising, symmetric

NAMES = {"cause": "the cause", "between": "between", "last": "last token\nbefore the\noutcome"}
MOST_WRITTEN = 16  # layers up to which each cell has its number
LAYER_HEIGHT = 0.17  # inches


@own_style()
def map_figure(found: Sequence[EvidenceResult], model: str | None = None) -> Figure:
    """A column of regions per layer under a swap of the whole layer, and beside it of each set's coordinates.

    A cell is the share of the way to the donor's preference; cells without items are white. Sets without a map are
    left out. `model` is a name for the subtitle.

    Raises:
        ValueError: Where no set has a map.
    """
    mapped = [one for one in found if one.map]
    if not mapped:
        raise ValueError("no map was made of these sets")
    layers = sorted({cell.layer for one in mapped for cell in one.map})
    regions = [region for region in REGIONS if any(cell.region == region for one in mapped for cell in one.map)]
    panels = [("whole layer", _cells(mapped[0].map, layers, regions, chosen=False))]
    panels += [(_name(one), _cells(one.map, layers, regions, chosen=True)) for one in mapped]
    width, subtitle = 2.4 + 1.9 * len(panels), _subtitle(mapped[0], model)
    height = max(3.6, 1.6 + LAYER_HEIGHT * len(layers)) + headline_height(width, subtitle)
    figure = new_figure(width=width, height=height)
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, values) in zip(row, panels, strict=True):
        image = _panel(axes, values, layers, [NAMES[region] for region in regions], name)
    row[0].set_ylabel(LAYER)
    bar = figure.colorbar(image, ax=row, shrink=0.8, pad=0.02)
    bar.set_label("effect: 0 as without, 1 the donor's preference", fontsize=9)
    bar.outline.set_visible(False)
    headline(figure, mapped[0].task, subtitle)
    return finish(figure)


def _cells(
    cells: Sequence[MapCell], layers: Sequence[int], regions: Sequence[str], *, chosen: bool
) -> Float[np.ndarray, "layer region"]:
    values = np.full((len(layers), len(regions)), np.nan)
    for cell in cells:
        value = cell.chosen if chosen else cell.whole
        if value is not None:
            values[layers.index(cell.layer), regions.index(cell.region)] = value
    return values


def _panel(
    axes: Axes, values: Float[np.ndarray, "layer region"], layers: Sequence[int], regions: Sequence[str], name: str
) -> AxesImage:
    image = axes.imshow(
        values, cmap=rising(), norm=symmetric(0.0, 1.0), interpolation="nearest", aspect="auto", origin="lower"
    )
    axes.set_title(name, fontsize=9.5)
    axes.spines[:].set_linewidth(0.6)
    axes.set_xticks(range(len(regions)), regions, fontsize=8)
    step = -(-len(layers) // MOST_WRITTEN)
    axes.set_yticks(range(0, len(layers), step), [str(layer) for layer in layers[::step]], fontsize=8)
    axes.tick_params(length=0, pad=3)
    if len(layers) <= MOST_WRITTEN:
        for (y, x), value in np.ndenumerate(values):
            if np.isfinite(value):
                colour = "white" if value > 0.55 else FAINT
                axes.annotate(number(float(value)), (x, y), ha="center", va="center", fontsize=7.5, color=colour)
    as_written(axes)
    return image


def _name(one: EvidenceResult) -> str:
    return f"{counted(one.k, one.noun)} by {one.method}" if one.method else counted(one.k, one.noun)


def _subtitle(one: EvidenceResult, model: str | None) -> list[str]:
    named = [short_name(model)] if model else []
    items = count_range(cell.items for cell in one.map)
    return [*named, "one region swapped at one layer", one.site, f"set of {in_layers(one.layers)}", f"{items} items"]
