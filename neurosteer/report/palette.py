"""Colours that keep their order in grey: of ordered series, and of matrices about a middle value.

Ordered series run from light to dark, and each has its own marker. The maps about a middle change hue there, for
those who see colours, and darken from one end to the other, so that a grey print still tells above from below; what
lies near the middle is pale, which no colormap of matplotlib's has besides.
"""

from __future__ import annotations

from matplotlib import colormaps
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize

from .canvas import Look

MARKERS = "osD^vPX<>ph8*d"
LIGHTEST, DARKEST = 0.83, 0.0  # of viridis: no pale yellow on white
RISING = ("#FFF3A3", "#F3DD8C", "#D0D0CC", "#76A0CB", "#2A66A6", "#0A376C", "#041B3D")
FALLING = ("#D2F6FF", "#A5DDF0", "#D0D0CC", "#DB9C7D", "#C4512E", "#841B12", "#3B0709")  # from high to low
PLACES = (0.0, 0.25, 0.5, 0.625, 0.75, 0.875, 1.0)  # of these colours


def ordered_looks(count: int) -> list[Look]:
    """Colour and marker of each of an ascending series, from light to dark; a single one is dark."""
    span = max(count - 1, 1)
    shades = [LIGHTEST + (DARKEST - LIGHTEST) * i / span for i in range(count)] if count > 1 else [DARKEST]
    scale = colormaps["viridis"]
    return [{"color": scale(shade), "marker": MARKERS[i % len(MARKERS)]} for i, shade in enumerate(shades)]


def rising() -> Colormap:
    """Above the middle blue and dark, below it yellow and light: of accuracies about chance."""
    return _map("rising", RISING)


def falling() -> Colormap:
    """Below the middle red and dark, above it blue and light: of changes, where a drop is what matters."""
    return _map("falling", FALLING).reversed()


def shares() -> Colormap:
    """From near white to dark: of shares, which have no middle."""
    return colormaps["Blues"]


def symmetric(middle: float, reach: float) -> Normalize:
    """A scale that is symmetric about `middle`."""
    return Normalize(middle - reach, middle + reach)


def _map(name: str, colours: tuple[str, ...]) -> Colormap:
    """Through these colours, of which the third is the middle."""
    return LinearSegmentedColormap.from_list(name, list(zip(PLACES, colours, strict=True)))
