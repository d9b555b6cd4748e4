"""`neuron_card`: all that can be said of one neuron on one task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats

from neurosteer.arguments import expect, expect_all
from neurosteer.data import BAD, GOOD
from neurosteer.edits import Edit
from neurosteer.errors import InputError
from neurosteer.forward import states_and_stats
from neurosteer.model import Model, encode, logit_weights
from neurosteer.neurons import NeuronSet, massive
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import AUTO, Progress
from neurosteer.report import card_html, card_page, card_table, to_json
from neurosteer.results import record
from neurosteer.results.card import Contrast, NeuronCardResult, TokenActivations, Word
from neurosteer.results.effect import EffectResult
from neurosteer.results.pairs_used import PairsUsed
from neurosteer.store import write_bytes
from neurosteer.studies.effects import measure_effect
from neurosteer.studies.neutral import passages, read_neutral
from neurosteer.vocabulary import FixedReference, Site

from .activations import activations, highest, lowest
from .interpretation import read_card
from .ranks import places_in

MOST_SENTENCES = 300  # of the task, that are read token by token
SHOWN = 8  # sentences, at each end
WORDS = 12  # at each end
SINK = 10  # times as far from zero at BOS as at the other tokens


@dataclass(frozen=True, kw_only=True, repr=False)
class NeuronCard(NeuronCardResult):
    """What `neuron_card` found; in a notebook it shows itself. Activations are in units of the site.

    Attributes:
        layer: the block, counted from 0.
        unit: the coordinate.
        site: which activation.
        model: name of the model.
        task: name of the task.
        data: source, number and digest of the pairs.
        mean: over the tokens of the task's sentences.
        sd: standard deviation over the same tokens.
        massive: whether it is far larger than the units of its layer.
        bos: its value at BOS; None without BOS.
        sink: whether `bos` is 10 times as far from zero as its values at other tokens; None without BOS.
        contrast: good against bad: Welch's `t`, its `p` and `q`, and the values at each EOS.
        places: where finished finds rank it.
        high: sentences of its highest activations, highest first.
        low: sentences of its lowest activations, lowest first.
        raised: tokens whose logit it raises directly; None where the network does not show that.
        lowered: tokens whose logit it lowers.
        effect: what ablating it alone does, with doses and matched single units.
        reading: the card in sentences.

    Example:
        >>> card = ns.neuron_card(model, pairs, list(top)[0], controls=1)
        >>> card.name, '"unit": 13' in card.to_json(), card.page()[:15]
        ('1:13', True, '<!doctype html>')
        >>> path = card.save("neuron.html")
    """

    def to_json(self) -> str:
        """The card as JSON."""
        return to_json(record(self))

    def page(self) -> str:
        """The card as one HTML file with everything inside."""
        return card_page(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file.

        Args:
            path: the HTML file.

        Returns:
            The path.
        """
        write_bytes(Path(path), self.page().encode())
        return Path(path)

    def __repr__(self) -> str:
        return f"NeuronCard({self.name} of {self.site}, {self.task}, t {self.contrast.t:.2f})"

    def __rich__(self) -> Any:
        return card_table(self)

    def _repr_html_(self) -> str:
        return card_html(self)


def neuron_card(
    model: Model,
    pairs: Pairs,
    neuron: tuple[int, int],
    *,
    site: Site = "resid_post",
    split: Split | None = None,
    also: Sequence[Pairs] = (),
    to: FixedReference = "mean",
    scales: Sequence[float] = (0.0, 0.5, 2.0),
    controls: int = 19,
    neutral: str | Path | None = None,
    out: str | Path = "runs",
    seed: int = 0,
    progress: Progress = AUTO,
) -> NeuronCard:
    """Collect all that can be said of one neuron on one task.

    Args:
        model: the model that it is in.
        pairs: of the task. Its t is measured on the train pairs, its effect on the test pairs.
        neuron: (layer, unit).
        site: which activation.
        split: how the pairs are split; None is by pair, with `seed`.
        also: other tasks, on which the ablation is measured too.
        to: what it is moved towards: its `mean`, or `zero`.
        scales: doses; the first is the one of the headline (0 is ablation).
        controls: matched single units of its layer; with 0 the effect has no p.
        neutral: a file of text for side effects, in which high activations are looked for too. None is a small text
            that is built in.
        out: folder of runs, where finished finds are looked for.
        seed: decides the split and every draw.
        progress: where progress and notices go.

    Returns:
        A `NeuronCard`, which shows itself in a notebook.

    Raises:
        InputError: for a site, layer or unit that the model lacks, and for too few pairs.

    Example:
        >>> ns.neuron_card(model, pairs, (1, 256), controls=1)
        NeuronCard(1:256 of resid_post, number, t ...)
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    expect_all(also, Pairs, "also")
    chosen = NeuronSet.of(model, [neuron], site=site)  # refuses what is not there
    [(layer, unit)] = chosen
    parts = pairs.split("pair", seed) if split is None else split
    if len(parts.train) < 2 or not len(parts.test):
        raise InputError(f"{pairs.task}: {len(pairs)} pairs are too few for a card")
    everyone = range(len(parts.train))
    states, found = states_and_stats(
        model, parts.train, everyone, site=site, layers=[layer], position="eos", progress=progress
    )
    chosen = NeuronSet.of(model, [neuron], site=site, stats=found)
    effect = measure_effect(
        model,
        parts.test,
        Edit.ablate(chosen, to).scaled(scales[0]),
        controls=controls,
        scales=scales,
        also=[other.split("pair", seed).test for other in also],
        neutral=neutral,
        seed=seed,
        progress=progress,
    )
    rows, bos = _read(model, pairs, site, layer, unit, neutral, progress)
    weights = logit_weights(model, site, layer, unit)
    values = np.concatenate([np.array(row.values) for row in rows])
    size = float(np.sqrt((values**2).mean()))
    own = {name: value for name, value in vars(effect).items() if name in EffectResult.__dataclass_fields__}
    card = NeuronCard(
        layer=layer,
        unit=unit,
        site=site,
        model=model.name,
        task=pairs.task,
        data=PairsUsed.of(pairs),
        mean=float(found.token_mean[0, unit]),
        sd=float(found.token_var[0, unit].sqrt()),
        massive=bool(massive(found)[0, unit]),
        bos=bos,
        sink=None if bos is None else abs(bos) >= SINK * size,
        contrast=_contrast(states.values[:, :, 0], unit),
        places=places_in(Path(out), model, layer, unit, site=site, progress=progress),
        high=highest(rows, SHOWN),
        low=lowest(rows, SHOWN),
        raised=None if weights is None else _words(model, weights, 1),
        lowered=None if weights is None else _words(model, weights, -1),
        effect=EffectResult(**own),
        reading="",
    )
    return NeuronCard(**{**vars(card), "reading": read_card(card)})


def _contrast(states: torch.Tensor, unit: int) -> Contrast:
    """Welch's t of the neuron, and the q of its paired t among the units of the layer."""
    good, bad = states[:, GOOD].double().numpy(), states[:, BAD].double().numpy()
    t = stats.ttest_ind(good[:, unit], bad[:, unit], equal_var=False).statistic
    p = np.nan_to_num(stats.ttest_rel(good, bad, axis=0).pvalue, nan=1.0)
    q = stats.false_discovery_control(p)
    sides = (tuple(float(f"{value:.5g}") for value in side[:, unit]) for side in (good, bad))
    first, second = sides
    return Contrast(t=float(np.nan_to_num(t)), p=float(p[unit]), q=float(q[unit]), good=first, bad=second)


def _read(
    model: Model, pairs: Pairs, site: Site, layer: int, unit: int, neutral: str | Path | None, progress: Progress
) -> tuple[list[TokenActivations], float | None]:
    """The neuron at every token of the task's sentences and of neutral text (BOS left out), and at BOS."""
    name, text = read_neutral(None if neutral is None else Path(neutral))
    some = pairs[: max(MOST_SENTENCES // 2, 1)]
    sentences = [(side, getattr(pair, side)) for pair in some for side in ("good", "bad")]
    sequences = encode(model, [sentence for _, sentence in sentences], position="last")
    prose = [piece.tokens for [piece] in passages(model, text)]
    found = activations(model, [*sequences, *prose], site=site, layer=layer, unit=unit, progress=progress)
    first = 1 if model.bos else 0
    about = [(pairs.task, side) for side, _ in sentences] + [(name, "")] * len(prose)
    decode = model.tokenizer.decode
    rows = [
        TokenActivations(
            source=source,
            side=side,
            tokens=tuple(decode([token]) for token in tokens[first:]),
            values=tuple(float(f"{value:.5g}") for value in values[first:]),
        )
        for (source, side), tokens, values in zip(about, [*sequences, *prose], found, strict=True)
        if len(tokens) > first
    ]
    return rows, float(found[0][0]) if model.bos else None


def _words(model: Model, weights: torch.Tensor, sign: int) -> tuple[Word, ...]:
    order = (sign * weights).topk(min(WORDS, len(weights))).indices.tolist()
    return tuple(Word(text=model.tokenizer.decode([token]), weight=float(weights[token])) for token in order)
