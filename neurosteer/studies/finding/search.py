"""`find`: which neurons hold a contrast, layer by layer, beside the baselines that keep the numbers honest."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from neurosteer.data import EosStates, UnitStats
from neurosteer.errors import InputError, did_you_mean
from neurosteer.forward import states_and_stats
from neurosteer.forward.cache import can_cache
from neurosteer.model import Model, check_site, resolve_layers, sentence_tokens, site_width
from neurosteer.neurons import Ranking, resolve_topk
from neurosteer.pairs import LexicalSplitError, Pairs, Split, sentence_hashes
from neurosteer.probes import L0, STRENGTHS, L0Settings, welch
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.studies.bootstrap import groups_in
from neurosteer.studies.provenance import provenance
from neurosteer.vocabulary import ENCODED, METHODS, FixedReference, Layers, Method, Position, Site, SplitKind

from .entry import Search, entry_of
from .found import Found
from .kept import found_before
from .layers import LAMBDAS, LayerResult, Settings, Used, probe_layers, random_equivalent
from .uncertainty import few_pairs
from .use import Ablation, check_attribution, predict_use


def find(
    model: Model,
    pairs: Pairs,
    *,
    methods: Sequence[Method] = ENCODED,
    split: SplitKind = "pair",
    k: int | str = "1%",
    layers: Layers = "all",
    site: Site = "resid_post",
    position: Position = "eos",
    lambdas: Sequence[float] | None = None,
    to: FixedReference = "zero",
    steps: int = 1,
    draws: int = 5,
    seed: int = 0,
    l0: L0Settings = L0,
    cache: bool = True,
    progress: Progress = AUTO,
) -> Found:
    """Rank the neurons of every layer by how well they tell good from bad, and measure what they hold.

    Beside the top `k` neurons of each layer stand the dense probe, `draws` random sets of the same size from the
    rest, the L0-masked probe and, with a split by pair, the same on words that training never saw. L2 strength,
    lambda and best layer are chosen on validation pairs; what is reported is measured on test pairs. The method
    `attribution` ranks by use: the predicted drop of the mean margin when a unit is ablated `to` zero or its mean,
    with gradients averaged over `steps`. `l0` says how masks are trained. Read from the cache where the same was
    found before; `cache=False` neither reads nor writes it. Raises `InputError` for a request that cannot be met and
    `LexicalSplitError` where the words allow no such split.
    """
    _check(methods, draws)
    grid = _grid(lambdas)
    check_attribution(to, steps)
    ablation = Ablation(site, resolve_layers(model, layers), to, steps)
    check_site(model, site, ablation.layers)
    parts = pairs.split(split, seed)
    cache = cache and can_cache(model, progress)
    told = Remembering(progress)

    def compute() -> Found:
        wanted = resolve_topk(k, site_width(model, site))
        settings = Settings(pairs.task, wanted, tuple(methods), grid, draws, seed, l0)
        return _find(model, pairs, parts, settings, ablation, position, cache=cache, progress=told)

    if cache:
        asked = {
            "methods": list(methods),
            "split": split,
            "k": str(k).strip(),  # as asked: how wide some sites are, only a pass can tell
            "site": site,
            "layers": list(ablation.layers),
            "position": position,
            "lambdas": list(grid) if "l0" in methods else None,
            "l0": l0.settings() if "l0" in methods else None,
            "ablation": ablation.asked if "attribution" in methods else None,
            "draws": draws,
            "seed": seed,
        }
        found = found_before(model, pairs, parts, asked, compute, progress)
    else:
        found = compute()
    for notice in found.entry["notices"]:
        if notice not in told.caveats:
            progress.notice(notice)
    return found


def _find(
    model: Model,
    pairs: Pairs,
    parts: Split,
    settings: Settings,
    ablation: Ablation,
    position: Position,
    *,
    cache: bool,
    progress: Remembering,
) -> Found:
    """The search itself."""
    site, layers = ablation.site, ablation.layers

    def read(train: Sequence[int]) -> tuple[EosStates, UnitStats]:
        return states_and_stats(
            model, pairs, train, site=site, layers=layers, position=position, cache=cache, progress=progress
        )

    states, stats = read(parts.indices["train"])

    def used(split: Split, asked: Settings) -> Used | None:
        if "attribution" not in asked.methods:
            return None
        own = stats if split is parts else read(split.indices["train"])[1]  # the mean is over its train sentences
        return predict_use(model, split.train, split.validation, ablation, own, cache=cache, progress=progress)

    search = _search(pairs, parts, states, settings, used, device=model.float64_device, progress=progress)
    tokenise = partial(sentence_tokens, model)
    good, bad = (tokenise(side) for side in zip(*pairs.sentences, strict=True))
    same_tokens = sum(map(operator.eq, good, bad))
    search = replace(search, notices=[*progress.caveats, *pairs.remarks(same_tokens), *search.notices])
    about = provenance(
        model,
        pairs,
        position=position,
        split=parts.kind,
        seed=settings.seed,
        k=settings.k,
        seen=sorted({*sentence_hashes(parts.train), *sentence_hashes(parts.validation)}),
        attribution=ablation.asked if "attribution" in settings.methods else None,
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
            metadata=about | search.settings_of(method) | (ablation.asked if method == "attribution" else {}),
        )
        for method in settings.methods
    }
    entry = entry_of(search, rankings, site=site, position=position, width=states.values.shape[-1], tokenise=tokenise)
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
    groups = groups_in(parts.test)
    equivalent = random_equivalent(states, parts.indices, best, settings, device=device, groups=groups)

    held_out, notices, unseen = None, [], []
    if parts.kind != "lexical":
        try:
            held_out = pairs.split("lexical", parts.seed)
        except LexicalSplitError as error:
            notices = [f"no column for new words: {error}"]
    if held_out is not None:
        t = welch(states.values, held_out.indices["train"]).t
        asked = replace(settings, methods=settings.methods[:1], draws=0)
        unseen = probe(held_out, t, asked, "new words")
    notices += few_pairs(len(parts.test), len(set(groups.tolist())))
    return replace(search, equivalent=equivalent, held_out=held_out, unseen=unseen, notices=notices)


def _check(methods: Sequence[str], draws: int) -> None:
    for method in methods:
        if method not in METHODS:
            raise InputError(f"unknown method '{method}'{did_you_mean(method, METHODS)}; one of {', '.join(METHODS)}")
    if not methods or len(set(methods)) != len(methods):
        raise InputError(f"methods must be some of {', '.join(METHODS)}, each once, not {list(methods)}")
    if draws < 1:
        raise InputError(f"draws must be at least 1, not {draws}")


def _grid(lambdas: Sequence[float] | None) -> tuple[float, ...]:
    """The penalties of the L0 probe, each once."""
    grid = tuple(sorted(set(lambdas if lambdas is not None else LAMBDAS)))
    if not grid or not all(0 < value <= 1 for value in grid):
        raise InputError(f"lambda must be above 0 and at most 1, not {list(lambdas or ())}")
    return grid
