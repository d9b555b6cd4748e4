"""Every unit of a find, for the map of layers x neurons: its score by each ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from neurosteer.artefacts import RANKING
from neurosteer.rankings import RANKINGS
from neurosteer.report.numbers import NONE, counted
from neurosteer.report.table import Table
from neurosteer.results import FindResult
from neurosteer.vocabulary import Json

from .charts import ON_CANVAS, SCHEMA, Chart, Series, Spec, hover

MOST_CELLS = 250_000  # scores that a page holds
MASSIVE = 10  # times the median unit of its layer, in root mean square


@dataclass(frozen=True, eq=False)
class Units:
    """The scores of all units that a find has ranked, by method, and which are massive."""

    layers: tuple[int, ...]
    scores: Mapping[str, Float[np.ndarray, "layer unit"]]
    massive: Float[np.ndarray, "layer unit"]
    rms: Float[np.ndarray, "layer unit"]

    def rank(self, method: str) -> Float[np.ndarray, "layer unit"]:
        """The place of every unit in a ranking, 1 the best."""
        scores = self.scores[method].ravel()
        places = np.empty(scores.size)
        places[np.argsort(-scores, kind="stable")] = np.arange(1, scores.size + 1)
        return places.reshape(self.scores[method].shape)


def units_of(folder: Path, found: FindResult) -> Units:
    """From the rankings of a run folder."""
    scores: dict[str, np.ndarray] = {}
    layers = tuple(row.layer for row in found.layers)
    for method, name in found.rankings.items():
        arrays, _ = RANKING.read(folder / Path(name).name)
        scores[method], layers = arrays["scores"], tuple(arrays["stats_layers"].tolist())
        rms = np.sqrt(arrays["token_mean"] ** 2 + arrays["token_var"])
        massive = rms >= MASSIVE * np.median(rms, axis=1, keepdims=True)
    return Units(layers, scores, massive.astype(float), rms)


def units_data(units: Units, found: FindResult, most: int = MOST_CELLS) -> Json:
    """For page.js: the units in a row, layer by layer, and each method's scores (as many digits as a float has use
    for); where there are more than a page holds, those that some ranking has highest."""
    methods = list(units.scores)
    size = next(iter(units.scores.values())).size
    kept = np.arange(size)
    room = max(most // max(len(methods), 1), 1)
    if size > room:
        best = np.min([units.rank(method).ravel() for method in methods], axis=0)
        kept = np.sort(np.argsort(best, kind="stable")[:room])
    width = size // len(units.layers)
    chosen: dict[str, set[tuple[int, int]]] = {
        method: {(row.layer, row.unit) for row in rows} for method, rows in found.neurons.items()
    }
    places = [(units.layers[i // width], int(i % width)) for i in kept.tolist()]
    marks = [[place for place, unit in enumerate(places) if unit in chosen.get(method, set())] for method in methods]
    return {
        "methods": methods,
        "axes": {method: score_name(method) for method in methods},
        "words": {method: RANKINGS[method].score for method in methods if method in RANKINGS},
        "layers": [layer for layer, _ in places],
        "units": [unit for _, unit in places],
        "scores": {method: _short(units.scores[method].ravel()[kept]) for method in methods},
        "chosen": dict(zip(methods, marks, strict=True)),
        "massive": np.flatnonzero(units.massive.ravel()[kept]).tolist(),
        "width": width,
        "all": size,
    }


def _short(values: Float[np.ndarray, "unit"]) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]


def score_name(method: str) -> str:
    """`welch (|t|)`: a ranking, and in what its scores are."""
    unit = RANKINGS[method].unit if method in RANKINGS else ""
    return f"{method} ({unit})" if unit else method


def map_charts(units: Units) -> list[Chart]:
    """The map, and where two rankings are there one against the other; page.js hands them the units."""
    methods = list(units.scores)
    layers = len(units.layers)
    grid: Spec = {
        "$schema": SCHEMA,
        "description": "A map of layers by neurons; the table of the highest neurons says the same in words.",
        "width": "container",
        "height": max(140, min(18 * layers, 560)),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": ON_CANVAS,
        "usermeta": {"renderer": "canvas", "units": True},
        "params": [
            {"name": "hidden", "value": []},
            {"name": "best", "value": 1e9},
            {"name": "order", "value": "unit"},
            {"name": "first", "value": 0},
            {"name": "last", "value": units.rms.shape[1]},
        ],
        "data": {"name": "units"},
        "transform": [
            {"filter": "datum.rank <= best && indexof(hidden, datum.layer) < 0"},
            {"calculate": "order == 'unit' ? datum.unit : datum.inlayer", "as": "place"},
            {"filter": "datum.place >= first && datum.place < last"},
            {"calculate": "datum.place + 1", "as": "next"},
        ],
        "mark": {"type": "rect", "clip": True},
        "encoding": {
            "x": {
                "field": "place",
                "type": "quantitative",
                "title": "neuron (unit of the layer)",
                "scale": {"domain": [{"expr": "first"}, {"expr": "last"}], "nice": False},
                "axis": {"grid": False},
            },
            "x2": {"field": "next"},
            "y": {"field": "layer", "type": "ordinal", "title": "layer", "sort": "descending"},
            "color": {
                "field": "depth",
                "type": "quantitative",
                "scale": {"domain": [-1, 0, 1], "range": ["#a63603", "#f4f4f1", "#08306b"], "interpolate": "rgb"},
                "legend": None,
            },
            "tooltip": hover(("name", "neuron"), ("told", "scores"), ("more", "also")),
        },
    }
    read = (
        "Each cell is a neuron. Blue is a score above zero, orange below; the darker, the further (square root). "
        "Drag across the map to zoom in."
    )
    charts = [Chart("map", "Layers x neurons", read, grid)]
    return charts + ([_against(methods)] if len(methods) > 1 else [])


def _against(methods: Sequence[str]) -> Chart:
    """One ranking against another, a point for each unit."""
    across, upwards = Series("chosen by the one across", 0), Series("chosen by the one upwards", 1)
    series = [Series("chosen by both", 3), across, upwards]
    series += [Series("chosen by neither", 7)]
    names = [one.name for one in series]
    spec: Spec = {
        "$schema": SCHEMA,
        "description": "Every neuron by two rankings: how far it is encoded, and how far it is used.",
        "width": "container",
        "height": 380,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": ON_CANVAS,
        "usermeta": {"renderer": "canvas", "units": True},
        "params": [
            {"name": "hidden", "value": []},
            {"name": "off", "value": []},
            {"name": "best", "value": 1e9},
            {"name": "across", "value": score_name(methods[0])},
            {"name": "upwards", "value": score_name(methods[-1])},
        ],
        "data": {"name": "units"},
        "transform": [
            {"filter": "datum.rank <= best && indexof(hidden, datum.layer) < 0 && indexof(off, datum.series) < 0"}
        ],
        "mark": {"type": "point", "filled": True, "opacity": 0.75},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", "title": {"signal": "across"}, "scale": {"zero": False}},
            "y": {"field": "y", "type": "quantitative", "title": {"signal": "upwards"}, "scale": {"zero": False}},
            "color": {
                "field": "series",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": ["#CC79A7", "#0072B2", "#D55E00", "#8c8c8c"]},
            },
            "shape": {
                "field": "series",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": [one.shape for one in series]},
            },
            "size": {"condition": {"test": "datum.series == 'chosen by neither'", "value": 22}, "value": 90},
            "order": {"field": "front", "type": "quantitative"},
            "tooltip": hover(("name", "neuron"), ("told", "scores"), ("more", "also")),
        },
    }
    read = (
        "Choose above which ranking lies across and which upwards. With what is encoded across and what is used "
        "upwards, a neuron that is encoded and not used lies at the right and near zero; one that is used and not "
        "encoded at the top left."
    )
    return Chart("against", "One ranking against the other", read, spec, series)


def highest_table(units: Units, most: int = 10) -> Table:
    """The best neurons of each ranking, with their place in the others."""
    ranks = {method: units.rank(method) for method in units.scores}
    rows = []
    for method, scores in units.scores.items():
        for place in np.argsort(ranks[method].ravel(), kind="stable")[:most].tolist():
            layer, unit = np.unravel_index(place, scores.shape)
            score = scores[layer, unit]
            if score <= 0:
                break
            others = [f"{int(ranks[other][layer, unit]):,}" for other in ranks]
            size = "massive" if units.massive[layer, unit] else f"{units.rms[layer, unit]:.3g}"
            rows.append((method, f"{units.layers[layer]}:{unit}", f"{score:.4g}", size, *others))
    heads = ("ranking", "neuron", "score", "size (rms)", *(f"place by {method}" for method in ranks))
    caption = f"The highest {counted(most, 'neuron')} of each ranking over all layers ({NONE} where it has fewer)"
    return Table(caption, heads, tuple(rows), left=2)
