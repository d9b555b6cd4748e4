"""`find`: which neurons hold a contrast, layer by layer, beside the baselines that keep the numbers honest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.data import EosStates
from neurosteer.edits import Probe
from neurosteer.errors import InputError, did_you_mean
from neurosteer.forward import states_and_stats
from neurosteer.model import Model, resolve_layers, site_width
from neurosteer.neurons import Ranking, resolve_k
from neurosteer.pairs import LexicalSplitError, Pairs, Split, sentence_hashes
from neurosteer.probes import STRENGTHS, welch
from neurosteer.progress import QUIET, Progress, Remembering
from neurosteer.report import find_html, find_table, layers_csv, to_json
from neurosteer.studies.provenance import provenance
from neurosteer.vocabulary import ENCODED, METHODS

from .entry import Search, entry_of
from .layers import LAMBDAS, LayerResult, Settings, Used, probe_layers, random_equivalent
from .use import Ablation, check_attribution, predict_use


@dataclass(frozen=True, eq=False)
class Found:
    """The result of `find`: `entry` is its JSON, the rankings hold every unit's score.

    Accuracies are test accuracies in [0, 1]. They say what a linear probe can read at a layer, not what the model
    makes of it.
    """

    entry: dict[str, Any]
    rankings: Mapping[str, Ranking]
    directions: Mapping[int, tuple[Float[Tensor, "unit"], float]]  # dense probes, and the states' spread
    pairs: Pairs
    train: Pairs
    validation: Pairs
    test: Pairs

    @property
    def task(self) -> str:
        return str(self.entry["task"])

    @property
    def layers(self) -> list[dict[str, Any]]:
        """One row per layer, as in the JSON."""
        return list(self.entry["layers"])

    @property
    def baselines(self) -> dict[str, float]:
        """Test accuracy of classifiers without a model, on the same split."""
        return dict(self.entry["baselines"])

    def probe(self, layer: int | None = None) -> Probe:
        """The dense probe of a layer (the best one by default) as a direction to push along."""
        layer = self.entry["best_layer"] if layer is None else layer
        if layer not in self.directions:
            raise InputError(f"no layer {layer} here; there is {', '.join(map(str, self.directions))}")
        direction, std = self.directions[layer]
        ranking = next(iter(self.rankings.values()))
        return Probe(ranking.pick((layer, unit) for unit in range(len(direction))), direction, std)

    def ranking(self, method: str = "welch") -> Ranking:
        """The ranking of one method. Raises `InputError` for a method that `find` was not asked for."""
        if method not in self.rankings:
            raise InputError(f"no ranking by '{method}' here; there is {', '.join(self.rankings)}")
        return self.rankings[method]

    def figure(self) -> Any:
        """Accuracy by layer as a matplotlib figure."""
        from neurosteer.report import find_figure

        return find_figure(self.entry)

    def to_json(self) -> str:
        return to_json(self.entry)

    def to_csv(self) -> str:
        """The table by layer."""
        return layers_csv(self.entry)

    def __repr__(self) -> str:
        return f"Found({self.task}, {len(self.layers)} layers, best layer {self.entry['best_layer']})"

    def __rich__(self) -> Any:
        return find_table(self.entry)

    def _repr_html_(self) -> str:
        return find_html(self.entry)


def find(
    model: Model,
    pairs: Pairs,
    *,
    methods: Sequence[str] = ENCODED,
    split: str = "pair",
    k: int | str = "1%",
    layers: str | int | Sequence[int] = "all",
    site: str = "resid_post",
    position: str = "eos",
    lambdas: Sequence[float] | None = None,
    to: str = "zero",
    steps: int = 1,
    draws: int = 5,
    seed: int = 0,
    progress: Progress = QUIET,
) -> Found:
    """Rank the neurons of every layer by how well they tell good from bad, and measure what they hold.

    Beside the top `k` neurons of each layer stand the dense probe, `draws` random sets of the same size from the
    rest, the L0-masked probe and, with a split by pair, the same on words that training never saw. L2 strength,
    lambda and best layer are chosen on validation pairs; what is reported is measured on test pairs. The method
    `attribution` ranks by use: the predicted drop of the mean margin when a unit is ablated `to` zero or its mean,
    with gradients averaged over `steps`. Raises `InputError` for a request that cannot be met and
    `LexicalSplitError` where the words allow no such split.
    """
    progress = told = Remembering(progress)
    settings = _settings(model, pairs, methods, k, site, lambdas, draws, seed)
    check_attribution(to, steps)
    chosen = resolve_layers(model, layers)
    parts = pairs.split(split, seed)
    train = parts.indices["train"]
    states, stats = states_and_stats(
        model, pairs, train, site=site, layers=chosen, position=position, progress=progress
    )

    def used(split: Split, asked: Settings) -> Used | None:
        if "attribution" not in asked.methods:
            return None
        own = stats
        if split is not parts:  # the mean is over that split's train sentences
            rows = split.indices["train"]
            _, own = states_and_stats(
                model, pairs, rows, site=site, layers=chosen, position=position, progress=progress
            )
        return predict_use(model, split.train, split.validation, Ablation(site, chosen, to, steps), own, progress)

    search = _search(pairs, parts, states, settings, used, device=model.float64_device, progress=progress)
    search = replace(search, notices=[*told.caveats, *search.notices])
    about = provenance(
        model,
        pairs,
        position=position,
        split=parts.kind,
        seed=seed,
        k=settings.k,
        seen=sorted({*sentence_hashes(parts.train), *sentence_hashes(parts.validation)}),
        attribution={"to": to, "steps": steps} if "attribution" in settings.methods else None,
        probes={"strengths": list(STRENGTHS), "l2": {str(r.layer): r.l2 for r in search.results}},
    )
    rankings = {
        method: Ranking(
            scores=torch.stack([result.scores[method] for result in search.results]),
            best_layer=search.best_layer(method),
            method=method,
            stats=stats,
            model=model.fingerprint,
            site=site,
            about=about
            | search.settings_of(method)
            | ({"to": to, "steps": steps} if method == "attribution" else {}),
        )
        for method in settings.methods
    }
    entry = entry_of(search, rankings, site=site, position=position, width=site_width(model, site))
    directions = {r.layer: (r.direction, r.std) for r in search.results if r.direction is not None}
    return Found(entry, rankings, directions, pairs, parts.train, parts.validation, parts.test)


def _search(
    pairs: Pairs,
    parts: Split,
    states: EosStates,
    settings: Settings,
    used: Callable[[Split, Settings], Used | None],
    *,
    device: torch.device,
    progress: Progress,
) -> Search:
    """All probes of all layers, on the split asked for and, beside a split by pair, on new words."""

    def probe(split: Split, t: Tensor, asked: Settings, what: str) -> list[LayerResult]:
        label = f"{pairs.task}: {what}, layers"
        return probe_layers(
            states, split.indices, t, asked, used=used(split, asked), device=device, what=label, progress=progress
        )

    test = welch(states.values, parts.indices["train"])
    results = probe(parts, test.t, settings, "probes")
    search = Search(pairs, parts, settings, results, test.significant())
    best = search.result_at(search.best_layer(settings.methods[0]))
    equivalent = random_equivalent(states, parts.indices, best, settings, device=device)

    held_out, notices, unseen = None, [], []
    if parts.kind != "lexical":
        try:
            held_out = pairs.split("lexical", parts.seed)
        except LexicalSplitError as error:
            notices = [f"no column for new words: {error}"]
            progress.notice(notices[0])
    if held_out is not None:
        t = welch(states.values, held_out.indices["train"]).t
        asked = replace(settings, methods=settings.methods[:1], draws=0)
        unseen = probe(held_out, t, asked, "new words")
    return replace(search, equivalent=equivalent, held_out=held_out, unseen=unseen, notices=notices)


def _settings(
    model: Model,
    pairs: Pairs,
    methods: Sequence[str],
    k: int | str,
    site: str,
    lambdas: Sequence[float] | None,
    draws: int,
    seed: int,
) -> Settings:
    for method in methods:
        if method not in METHODS:
            raise InputError(f"unknown method '{method}'{did_you_mean(method, METHODS)}; one of {', '.join(METHODS)}")
    if not methods or len(set(methods)) != len(methods):
        raise InputError(f"methods must be some of {', '.join(METHODS)}, each once, not {list(methods)}")
    grid = tuple(sorted(set(lambdas if lambdas is not None else LAMBDAS)))
    if not grid or not all(0 < value <= 1 for value in grid):
        raise InputError(f"lambda must be above 0 and at most 1, not {list(lambdas or ())}")
    if draws < 1:
        raise InputError(f"draws must be at least 1, not {draws}")
    return Settings(pairs.task, resolve_k(k, site_width(model, site)), tuple(methods), grid, draws, seed)
