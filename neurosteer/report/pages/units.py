"""Every unit of a find, for the map of layers x neurons: its score by each ranking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from neurosteer.artefacts import PROBES, RANKING
from neurosteer.rankings import ranking_method
from neurosteer.report.numbers import NONE
from neurosteer.report.table import Table
from neurosteer.results import FindResult
from neurosteer.store import SUFFIX, file_stem
from neurosteer.vocabulary import CARDS, Json, counted

from .charts import CONFIG, SCHEMA, Chart, Series, Spec, hover
from .neuron import MASSIVE, Size, anchor

MOST_CELLS = 250_000  # scores that a page holds


@dataclass(frozen=True, eq=False)
class Stats:
    """How large the units of some layers are over tokens, and at EOS."""

    layers: tuple[int, ...]
    token_mean: Float[np.ndarray, "layer unit"]
    token_var: Float[np.ndarray, "layer unit"]
    eos_mean: Float[np.ndarray, "layer unit"]
    eos_var: Float[np.ndarray, "layer unit"]

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Stats:
        """Those of an artefact of a ranking or a neuron set."""
        names = ("token_mean", "token_var", "eos_mean", "eos_var")
        return cls(tuple(arrays["stats_layers"].tolist()), *(arrays[name] for name in names))

    @property
    def rms(self) -> Float[np.ndarray, "layer unit"]:
        """Root mean squares over tokens."""
        return np.hypot(self.token_mean, np.sqrt(self.token_var))  # squares may be too large for float32

    @property
    def beside(self) -> Float[np.ndarray, "layer unit"]:
        """The same, in medians of the layer."""
        return self.rms / np.median(self.rms, axis=1, keepdims=True)

    @property
    def massive(self) -> Bool[np.ndarray, "layer unit"]:
        return self.beside >= MASSIVE

    def of_groups(self, group: int) -> Stats:
        """The same of units that go together, as those of a head: roots of mean squares over them."""

        def together(values: Float[np.ndarray, "layer unit"]) -> Float[np.ndarray, "layer group"]:
            return values.astype(np.float64).reshape(len(self.layers), -1, group).mean(axis=-1)

        def size(means: Float[np.ndarray, "layer unit"]) -> Float[np.ndarray, "layer group"]:
            return np.sqrt(together(means.astype(np.float64) ** 2))

        tokens, eos = size(self.token_mean), size(self.eos_mean)
        return Stats(self.layers, tokens, together(self.token_var), eos, together(self.eos_var))

    def size(self, layer: int, unit: int) -> Size:
        at = self.layers.index(layer), unit
        eos = float(self.eos_mean[at]), float(np.sqrt(self.eos_var[at]))
        return Size(
            mean=float(self.token_mean[at]),
            sd=float(np.sqrt(self.token_var[at])),
            massive=bool(self.massive[at]),
            eos=eos,
            beside=float(self.beside[at]),
        )


@dataclass(frozen=True, eq=False)
class UnitScores:
    """The scores of all units that a find has ranked, by method, and how large they are."""

    layers: tuple[int, ...]
    scores: Mapping[str, Float[np.ndarray, "layer unit"]]
    stats: Stats
    rises: Float[np.ndarray, "layer unit"] | None = None  # along the way from bad to good states at EOS

    def t(self, row: int, unit: int) -> float | None:
        """Welch's t of good minus bad, where that was a ranking: its size is the score."""
        if self.rises is None or "welch" not in self.scores:
            return None
        return float(np.copysign(self.scores["welch"][row, unit], self.rises[row, unit]))

    def rank(self, method: str) -> Float[np.ndarray, "layer unit"]:
        """The place of every unit in a ranking, 1 the best."""
        scores = self.scores[method].ravel()
        places = np.empty(scores.size)
        places[np.argsort(-scores, kind="stable")] = np.arange(1, scores.size + 1)
        return places.reshape(self.scores[method].shape)


def units_of(folder: Path, found: FindResult) -> UnitScores:
    """From the rankings of a run folder, and its probes where it has kept them; of heads, one score each."""
    read = {method: RANKING.read(folder / Path(name).name)[0] for method, name in found.rankings.items()}
    stats = Stats.of(next(iter(read.values())))
    probes, rises = folder / f"{file_stem(found.task)}.probes{SUFFIX}", None
    if probes.is_file() and found.by == "unit":
        rises = PROBES.read(probes)[0]["mean_directions"]
    group = stats.rms.shape[1] // found.width
    scores: dict[str, np.ndarray] = {method: arrays["scores"][:, ::group] for method, arrays in read.items()}
    return UnitScores(stats.layers, scores, stats if group == 1 else stats.of_groups(group), rises)


def units_data(units: UnitScores, found: FindResult, most: int = MOST_CELLS) -> Json:
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
        method: {(row.layer, row.member) for row in rows} for method, rows in found.neurons.items()
    }
    places = [(units.layers[i // width], int(i % width)) for i in kept.tolist()]
    marks = [[place for place, unit in enumerate(places) if unit in chosen.get(method, set())] for method in methods]
    return {
        "methods": methods,
        "axes": {method: score_name(method) for method in methods},
        "words": {method: known.score for method in methods if (known := ranking_method(method))},
        "layers": [layer for layer, _ in places],
        "units": [unit for _, unit in places],
        "scores": {method: _short(units.scores[method].ravel()[kept]) for method in methods},
        "chosen": dict(zip(methods, marks, strict=True)),
        "massive": np.flatnonzero(units.stats.massive.ravel()[kept]).tolist(),
        "width": width,
        "all": size,
        "place": "unit" if found.by == "unit" else found.noun,
    }


def _short(values: Float[np.ndarray, "unit"]) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]


def score_name(method: str) -> str:
    """`welch (|t|)`: a ranking, and in what its scores are."""
    known = ranking_method(method)
    return f"{method} ({known.unit})" if known and known.unit else method


def map_charts(units: UnitScores, found: FindResult, *, with_cards: bool) -> list[Chart]:
    """The map, and where two rankings are there one against the other; page.js hands them the units."""
    noun, usual = found.noun, "neuron (unit of the layer)" if found.by == "unit" else f"{found.noun} of the layer"
    methods = list(units.scores)
    layers = len(units.layers)
    grid: Spec = {
        "$schema": SCHEMA,
        "description": f"A map of layers by {noun}s; the table of the highest says the same in words.",
        "width": "container",
        "height": max(140, min(18 * layers, 560)),
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        "usermeta": {"renderer": "canvas", "units": True},
        "params": [
            {"name": "hidden", "value": []},
            {"name": "best", "value": 1e9},
            {"name": "order", "value": "unit"},
            {"name": "first", "value": 0},
            {"name": "last", "value": units.stats.rms.shape[1]},
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
                "title": {"signal": f"order == 'unit' ? '{usual}' : '{noun}s, the highest score first'"},
                "scale": {"domain": [{"expr": "first"}, {"expr": "last"}], "nice": False},
                "axis": {"grid": False, "tickMinStep": 1, "format": "d"},
            },
            "x2": {"field": "next"},
            "y": {"field": "layer", "type": "ordinal", "title": "layer", "sort": "descending"},
            "color": {
                "field": "depth",
                "type": "quantitative",
                "scale": {
                    "domain": [-1, 0, 1],
                    "range": ["var(--down)", "var(--wash)", "var(--up)"],
                    "interpolate": "rgb",
                },
                "legend": None,
            },
            "tooltip": hover(("name", noun), ("told", "scores"), ("more", "also")),
        },
    }
    read = (
        f"Each cell is a {noun}. Blue is a score above zero, orange below; the darker, the further (square root). "
        "Drag across the map to zoom in" + ("; click on one of the highest to see its card." if with_cards else ".")
    )
    charts = [Chart("map", f"Layers x {noun}s", read, grid)]
    return charts + ([_against(methods, noun)] if len(methods) > 1 else [])


def _against(methods: Sequence[str], noun: str) -> Chart:
    """One ranking against another, a point for each unit or head."""
    across, upwards = Series("chosen by the one across", 0), Series("chosen by the one upwards", 1)
    series = [Series("chosen by both", 3), across, upwards]
    series += [Series("chosen by neither", 7)]
    names = [one.name for one in series]
    spec: Spec = {
        "$schema": SCHEMA,
        "description": f"Every {noun} by two rankings: how far it is encoded, and how far it is used.",
        "width": "container",
        "height": 380,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
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
                "scale": {"domain": names, "range": [one.colour for one in series]},
            },
            "shape": {
                "field": "series",
                "type": "nominal",
                "legend": None,
                "scale": {"domain": names, "range": [one.shape for one in series]},
            },
            "size": {"condition": {"test": "datum.series == 'chosen by neither'", "value": 22}, "value": 90},
            "order": {"field": "front", "type": "quantitative"},
            "tooltip": hover(("name", noun), ("told", "scores"), ("more", "also")),
        },
    }
    read = (
        "Choose above which ranking lies across and which upwards. With what is encoded across and what is used "
        f"upwards, a {noun} that is encoded and not used lies at the right and near zero; one that is used and not "
        "encoded at the top left."
    )
    return Chart("against", "One ranking against the other", read, spec, series)


def best_of(units: UnitScores, method: str, most: int = CARDS) -> list[tuple[int, int]]:
    """The neurons of the highest scores above zero by a ranking: rows and columns of its scores."""
    scores, order = units.scores[method], np.argsort(units.rank(method).ravel(), kind="stable")[:most]
    places = zip(*np.unravel_index(order, scores.shape), strict=True)
    return [(int(row), int(unit)) for row, unit in places if scores[row, unit] > 0]


def highest_table(units: UnitScores, noun: str, *, with_links: bool) -> Table:
    """The best neurons of each ranking, with their place in the others; whether they lead to their cards."""
    ranks = {method: units.rank(method) for method in units.scores}
    rows, cards = [], {}
    for method, scores in units.scores.items():
        for row, unit in best_of(units, method):
            layer = units.layers[row]
            others = [f"{int(ranks[other][row, unit]):,}" for other in ranks]
            size = "massive" if units.stats.massive[row, unit] else f"{units.stats.rms[row, unit]:.3g}"
            rows.append((method, f"{layer}:{unit}", f"{scores[row, unit]:.4g}", size, *others))
            cards[f"{layer}:{unit}"] = anchor(layer, unit)
    heads = ("ranking", noun, "score", "size (rms)", *(f"place by {method}" for method in ranks))
    caption = f"The highest {counted(CARDS, noun)} of each ranking over all layers ({NONE} where it has fewer)"
    return Table(caption, heads, tuple(rows), left=2, links=cards if with_links else {})
