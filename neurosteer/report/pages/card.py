"""The page of a neuron card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurosteer.report.numbers import p_value
from neurosteer.report.table import Table
from neurosteer.results.card import NeuronCardResult, TokenActivations, Word
from neurosteer.version import __version__
from neurosteer.vocabulary import Json, counted

from .changes import changes, changes_chart, own_series
from .charts import Chart, Row, Series, by_series, chart_of, level
from .document import Document, Part, View
from .doses import doses_part
from .neuron import Size, places_table, size_table

GOOD, BAD = Series("good", 0), Series("bad", 1)


def card_page(card: NeuronCardResult) -> str:
    """One HTML file."""
    place = f"{card.site}, {card.model}"
    return Document(
        title=f"neuron {card.name}",
        subtitle=[place, card.task],
        reading=[(card.name, card.reading)],
        command="",
        overview=[],
        views=[View(card.name, list(_parts(card)))],
        kind="neuron",
        settings=[("data", f"{card.data.source}, {card.data.pairs:,} pairs"), ("site", card.site)],
        notices=list(card.effect.notices) if card.effect else [],
        files=[],
        version=__version__,
    ).to_html()


def _parts(card: NeuronCardResult) -> Iterator[Part]:
    yield Part("high", "Where it is highest", tool="activations", data=_sentences(card, card.high))
    yield Part("low", "Where it is lowest", tool="activations", data=_sentences(card, card.low))
    yield Part("eos", "Good against bad", [_told(card)], [distribution_chart(card)])
    if card.effect:
        of = own_series("neuron", 1)
        rows = [row for name, one in _variants(card) for row in changes(name, one, of)]
        chart = changes_chart("alone", "The mean margin without this neuron", rows, of)
        yield Part("effect", "What the model does without it", [card.effect.reading], [chart])
        if len(card.effect.by_scale) > 1:
            yield doses_part(card.effect)
    places = places_table(card.places, "In the finished finds of this model")
    yield Part("places", "Its place in every ranking", tables=[places])
    if card.raised is not None and card.lowered is not None:
        text = [
            "Its output weights, read through the final norm and the unembedding, beside the mean word. Later blocks "
            "are left out: this is what it says, not what is heard."
        ]
        tables = [_words("Words that it raises", card.raised), _words("Words that it lowers", card.lowered)]
        yield Part("words", "What it promotes", text, tables=tables)
    size = Size(card.mean, card.sd, card.massive, bos=card.bos, sink=bool(card.sink))
    yield Part("size", "How large it is", tables=[size_table(size)])


def _variants(card: NeuronCardResult) -> list[tuple[str, Json]]:
    assert card.effect is not None
    others = [(f"on {row.task}", row.change) for row in card.effect.also]
    return [(f"on {card.task}", card.effect.change), *others]


def _told(card: NeuronCardResult) -> str:
    contrast = card.contrast
    return (
        f"At EOS, over {counted(len(contrast.good), 'train pair')}: t {contrast.t:.2f} (good minus bad), q "
        f"{p_value(contrast.q)} among the units of its layer."
    )


def _sentences(card: NeuronCardResult, rows: Sequence[TokenActivations]) -> Json:
    """For page.js."""
    told = [
        {
            "from": f"{row.source}, {row.side}" if row.side else row.source,
            "tokens": list(row.tokens),
            "values": list(row.values),
        }
        for row in rows
    ]
    ends = [abs(value) for row in (*card.high, *card.low) for value in row.values]
    return {"rows": told, "most": max(ends, default=1.0)}


def distribution_chart(card: NeuronCardResult) -> Chart:
    """How often it has which value at EOS, after good and after bad sentences."""
    rows: list[Row] = [{"value": value, "series": GOOD.name} for value in card.contrast.good]
    rows += [{"value": value, "series": BAD.name} for value in card.contrast.bad]
    series = [GOOD, BAD]
    bins = {"bin": {"maxbins": 40}, "field": "value", "type": "quantitative"}
    bars = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "bar", "opacity": 0.55},
        "encoding": {
            "x": {**bins, "title": "activation at EOS"},
            "y": {"aggregate": "count", "stack": None, "title": "sentences"},
            "color": by_series(series),
            "tooltip": [
                {"field": "series", "type": "nominal", "title": "after"},
                {**bins, "title": "activation"},
                {"aggregate": "count", "title": "sentences"},
            ],
        },
    }
    read = "The two overlap; switch one off to see the other alone."
    layers = [bars, *level(0, "", at="x")]
    return chart_of("eos", "Its activation at EOS", read, layers, rows, series=series, height=240)


def _words(caption: str, words: Sequence[Word]) -> Table:
    rows = tuple((repr(word.text), f"{word.weight:+.3f}") for word in words)
    return Table(caption, ("token", "logit"), rows)
