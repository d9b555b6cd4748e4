"""Cards of neurons inside the page of a run: what it has stored of the highest ones, without a further pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from neurosteer.artefacts import NEURONS
from neurosteer.report.comparing import name_of
from neurosteer.report.numbers import NONE
from neurosteer.report.table import Table
from neurosteer.results.card import PlaceInRanking
from neurosteer.results.effect import EffectResult
from neurosteer.results.find import FindResult
from neurosteer.vocabulary import CARDS, counted

from .document import Part, Sheet
from .neuron import anchor, places_table, size_table
from .top_sentences import Heights
from .units import Stats, UnitScores, best_of

HEADING = "The highest neurons, one by one"


def found_cards(found: FindResult, units: UnitScores, heights: Heights | None, run: str, command: str) -> Part | None:
    """A card for each of the best neurons of each ranking of a find."""
    if found.by != "unit":
        return None
    best = dict.fromkeys(place for method in units.scores for place in best_of(units, method))
    ranks = {method: units.rank(method) for method in units.scores}
    sheets = [_found_card(found, units, heights, ranks, row, unit, run) for row, unit in best]
    return _part(sheets, command)


def _found_card(
    found: FindResult,
    units: UnitScores,
    heights: Heights | None,
    ranks: Mapping[str, Float[np.ndarray, "layer unit"]],
    row: int,
    unit: int,
    run: str,
) -> Sheet:
    layer = units.layers[row]
    places = [
        PlaceInRanking(
            task=found.task,
            method=method,
            score=float(scores[row, unit]),
            place=int(ranks[method][row, unit]),
            among=scores.size,
            place_in_layer=1 + int((ranks[method][row] < ranks[method][row, unit]).sum()),
            run=run,
        )
        for method, scores in units.scores.items()
    ]
    text = []
    if (t := units.t(row, unit)) is not None:
        text.append(f"At EOS, over the train pairs: t {t:.2f} (good minus bad).")
    chosen = [method for method, rows in found.neurons.items() if (layer, unit) in {(n.layer, n.unit) for n in rows}]
    top = f"the top {found.topk:,}, which are taken at each ranking's best layer"
    text.append(f"By {' and '.join(chosen)} among {top}." if chosen else f"In no ranking among {top}.")
    own = places_table(places, "Its place in every ranking of this find", runs=False)
    tables = [*_heights(heights, layer, unit), own, size_table(units.stats.size(layer, unit))]
    subtitle = ", ".join(f"{one.place:,} by {one.method}" for one in places)
    return Sheet(anchor(layer, unit), f"{layer}:{unit}", subtitle, text, tables)


def edited_cards(
    folder: Path, effect: EffectResult, effects: Sequence[EffectResult], heights: Heights | None, command: str
) -> Part | None:
    """A card for each of the first neurons of an edited set: its place in the sets of the run, and its size; where
    the find of the neurons is known, also after which sentences it is high."""
    if effect.edit.by != "unit" or effect.files is None:
        return None
    arrays, _ = NEURONS.read(folder / Path(effect.files.neurons).name)
    stats = Stats.of(arrays)
    sheets = []
    for neuron in effect.neurons[:CARDS]:
        rows = []
        for other in effects:
            place = {(one.layer, one.unit): i for i, one in enumerate(other.neurons)}.get((neuron.layer, neuron.unit))
            score = NONE if place is None else f"{other.neurons[place].score:.4g}"
            of = f"of {len(other.neurons):,}"
            rows.append((name_of(other), score, f"not {of}" if place is None else f"{place + 1:,} {of}"))
        tables = [*_heights(heights, neuron.layer, neuron.unit)]
        tables.append(Table("Its place in every set of this run", ("set", "score", "place"), tuple(rows)))
        if neuron.layer in stats.layers:
            tables.append(size_table(stats.size(neuron.layer, neuron.unit)))
        subtitle = f"score {neuron.score:.4g}" + (", massive" if neuron.massive else "")
        sheets.append(Sheet(anchor(neuron.layer, neuron.unit), f"{neuron.layer}:{neuron.unit}", subtitle, [], tables))
    return _part(sheets, command)


def _heights(heights: Heights | None, layer: int, unit: int) -> Iterator[Table]:
    return heights.tables(layer, unit) if heights else iter(())


def _part(sheets: Sequence[Sheet], command: str) -> Part:
    text = (
        "What the run has stored of each. Token by token, and what the model does without it alone, takes further "
        f"passes: {command}"
    )
    return Part("cards", f"{HEADING} ({counted(len(sheets), 'neuron')})", [text], tool="cards", sheets=sheets)
