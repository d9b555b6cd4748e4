"""The page of a `find`: accuracy by layer, the map of neurons, the pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from neurosteer.artefacts import PROBES
from neurosteer.pairs import Baselines
from neurosteer.pairs.splitting import PARTS
from neurosteer.report.baselines import named
from neurosteer.report.numbers import in_words, number, percent
from neurosteer.report.table import Table
from neurosteer.results import FindLayer, FindResult, Interval, read_record
from neurosteer.results.run import RunRecord
from neurosteer.store import SUFFIX, file_stem
from neurosteer.vocabulary import Json

from .charts import Chart, Row, Series, axis, chart_of, hover, in_rows, layer_axis, lines
from .command import neuron_command
from .curves import word_levels
from .document import Part, View
from .neuron_cards import found_cards
from .top_sentences import Heights
from .units import MOST_CELLS, highest_table, map_charts, units_data, units_of

MOST_PAIRS = 60  # that are shown of each part of the split


def finds_of(entries: Sequence[Json]) -> list[FindResult]:
    """The tasks of a run."""
    return [read_record(FindResult, entry) for entry in entries]


def find_views(folder: Path, founds: Sequence[FindResult], run: RunRecord) -> list[View]:
    """A view for each task."""
    return [View(found.task, list(_parts(folder, found, run, MOST_CELLS // len(founds)))) for found in founds]


def find_reading(founds: Sequence[FindResult]) -> list[tuple[str, str]]:
    """What each task's numbers say."""
    return [(found.task, found.interpretation) for found in founds]


def find_settings(founds: Sequence[FindResult]) -> list[tuple[str, str]]:
    """What all tasks share; the first speaks for all."""
    found = founds[0]
    split, each = found.data.split, "units" if found.by == "unit" else f"{found.noun}s"
    return [
        ("data", f"{found.data.source}, {found.data.pairs:,} pairs"),
        ("split", f"{split.kind}, seed {split.seed}: {split.train:,} / {split.validation:,} / {split.test:,}"),
        ("dropped", f"{split.dropped:,} pairs"),
        ("site, position", f"{found.site}, {found.position}"),
        ("layers", f"{len(found.layers)}, {found.width:,} {each} each"),
        (f"{found.noun}s", f"{found.topk:,} of a layer by {', '.join(found.methods)}"),
    ]


def _parts(folder: Path, found: FindResult, run: RunRecord, most_cells: int) -> Iterator[Part]:
    numbers = [row.layer for row in found.layers]
    yield Part(
        "layers", "Layer by layer", [_best(found)], [layers_chart(found)], [_layers_table(found)], layers=numbers
    )
    yield Part(
        "baselines",
        "What words alone give away",
        [
            "Classifiers that see no model, fitted and tested on the same pairs. A probe that does not exceed them "
            "may read words, not grammar."
        ],
        tables=[baselines_table(found)],
    )
    if found.rankings:
        units = units_of(folder, found)
        card = neuron_command(found.task, found.site, run)
        cards = found_cards(found, units, Heights.of(folder, found), folder.name, card)
        whole = [f"One of them whole: {card}"] if cards else []
        yield Part(
            "neurons",
            f"Which {found.noun}s",
            [_significant(found), *_agreement(found), *whole],
            map_charts(units, found, with_cards=cards is not None),
            [highest_table(units, found.noun, with_links=cards is not None)],
            tool="units",
            data=units_data(units, found, most_cells) | {"card": card},
            layers=numbers,
        )
        if cards:
            yield cards
    pairs = folder / f"{file_stem(found.task)}.probes{SUFFIX}"
    if pairs.is_file():
        yield Part("pairs", "The pairs", tool="list", data=_pairs(pairs))


def _best(found: FindResult) -> str:
    best = found.best
    ends = best.intervals
    text = (
        f"Best layer (chosen on validation pairs): {found.best_layer}. There the probe on all units reaches "
        f"{_with(best.dense, ends.dense)} of the test sentences, the top {found.topk} {_with(best.topk, ends.topk)}"
    )
    if best.random.mean is not None:
        text += f", and as many random units {number(best.random.mean)}"
    return f"{text}. Brackets and bands are 95 % intervals over test pairs."


def _with(value: float, ends: Interval | None) -> str:
    return number(value) + (f" [{number(ends[0])}, {number(ends[1])}]" if ends else "")


SERIES = (
    Series("dense: all units", 0),
    Series("top units", 1),
    Series("L0: units kept by the mask", 2),
    Series("random units", 7),
    Series("dense, new words", 0, dashed=True),
    Series("top units, new words", 1, dashed=True),
)


def layers_chart(found: FindResult) -> Chart:
    """Test accuracy by layer, of every probe."""
    others = [Series(f"top units by {method}", 3 + i) for i, method in enumerate(found.methods[1:])]
    rows = [row for layer in found.layers for row in _points(layer, found)]
    series = in_rows((*SERIES, *others), rows)
    tooltip = hover(
        ("series", "probe"),
        ("layer", "layer"),
        ("value", "test accuracy"),
        ("interval", "95 % interval"),
        ("beside", "random units"),
    )
    y = axis("value", "test accuracy (share of sentences)")
    rule = {
        "data": {"values": [{"layer": found.best_layer}]},
        "mark": {"type": "rule", "strokeDash": [2, 3], "color": "var(--faint)"},
        "encoding": {"x": {"field": "layer", "type": "quantitative"}},
    }
    read = (
        "Each line is a probe that tells good sentences from bad ones at a layer. The dashed horizontal lines are "
        "chance and the strongest classifier of words; the dotted vertical line is the best layer."
    )
    return chart_of(
        "accuracy",
        "Test accuracy by layer",
        read,
        [*word_levels(found.baselines), rule, *lines(series, layer_axis(), y, tooltip, bars=len(found.layers) == 1)],
        rows,
        series=series,
    )


def _points(layer: FindLayer, found: FindResult) -> Iterator[Row]:
    ends, random = layer.intervals, layer.random
    beside = (
        "" if random.mean is None else f"mean {number(random.mean)}, {number(random.low)} to {number(random.high)}"
    )

    def row(series: str, value: float | None, interval: Interval | None) -> Iterator[Row]:
        if value is not None:
            low, high = interval or (None, None)
            between = f"{number(low)} to {number(high)}" if interval else "not measured"
            place: Row = {"layer": layer.layer, "series": series, "value": value}
            yield {**place, "low": low, "high": high, "interval": between, "beside": beside}

    yield from row("dense: all units", layer.dense, ends.dense)
    yield from row("top units", layer.topk, ends.topk)
    yield from row("L0: units kept by the mask", layer.l0.accuracy if layer.l0 else None, ends.l0)
    drawn = None if random.low is None or random.high is None else (random.low, random.high)
    yield from row("random units", random.mean, drawn)
    for method in found.methods[1:]:
        yield from row(f"top units by {method}", layer.topk_by_method.get(method), ends.topk_by_method.get(method))
    if layer.new_words:
        yield from row("dense, new words", layer.new_words.dense, ends.new_words_dense)
        yield from row("top units, new words", layer.new_words.topk, ends.new_words_topk)


def _layers_table(found: FindResult) -> Table:
    """All layers in numbers."""
    heads = ["layer", "dense", f"top {found.topk}", "random: mean", "L0", "kept by L0", "significant units"]
    heads += ["dense, new words", "top, new words"]
    rows = [
        (
            str(layer.layer),
            _with(layer.dense, layer.intervals.dense),
            _with(layer.topk, layer.intervals.topk),
            number(layer.random.mean),
            number(layer.l0.accuracy if layer.l0 else None),
            percent(layer.l0.kept if layer.l0 else None),
            f"{layer.significant:,}",
            number(layer.new_words.dense if layer.new_words else None),
            number(layer.new_words.topk if layer.new_words else None),
        )
        for layer in found.layers
    ]
    return Table("Test accuracy, with its 95 % interval over pairs", tuple(heads), tuple(rows), left=0)


def baselines_table(found: FindResult) -> Table:
    """Every classifier without a model, on this split and on new words."""
    first, second = named(found.baselines), _maybe(found.baselines_new_words)
    rows = [(name, number(value, 3), number(second.get(name), 3)) for name, value in first.items()]
    heads = ("without a model", f"{found.data.split.kind} split", "new words")
    return Table("Test accuracy of single sentences", heads, tuple(rows))


def _maybe(baselines: Baselines | None) -> dict[str, float | None]:
    return named(baselines) if baselines else {}


def _significant(found: FindResult) -> str:
    """How many units tell at all: the highest are listed whether they do or not."""
    best = found.best
    return (
        f"At layer {found.best_layer}, {best.significant:,} units differ between good and bad sentences beyond "
        "chance (Welch's t; false discovery rate .05 over all layers searched)."
    )


def _agreement(found: FindResult) -> list[str]:
    """How far each two methods rank the units of the best layer alike."""
    said = []
    for one in found.best.agreement:
        first, second = one.methods
        said.append(
            f"At layer {found.best_layer} {first} and {second} share {percent(one.overlap)} of their top "
            f"{found.topk} ({percent(one.chance)} by chance)"
            + ("" if one.spearman is None else f"; rank correlation over all units {number(one.spearman)}")
            + "."
        )
    if not said and len(found.methods) > 1:
        said = [f"Rankings: {', '.join(' and '.join(pair) for pair in combinations(found.methods, 2))}."]
    return said


def _pairs(path: Path) -> Json:
    """Some pairs of each part, in their order."""
    arrays, metadata = PROBES.read(path)
    pairs, listed = metadata["pairs"], []
    for part in PARTS:
        places = arrays[part].tolist()
        listed += [
            {"id": pairs[i]["id"], "part": in_words(part), "good": pairs[i]["good"], "bad": pairs[i]["bad"]}
            for i in places[:MOST_PAIRS]
        ]
    return {"pairs": listed, "all": len(pairs)}
