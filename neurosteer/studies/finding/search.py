"""`find`: which neurons encode a contrast, layer by layer, beside the baselines that keep the numbers honest."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from neurosteer.arguments import expect
from neurosteer.data import EosStates, UnitStats
from neurosteer.forward import states_and_stats
from neurosteer.forward.cache import can_cache
from neurosteer.model import Model, check_site, head_width, resolve_layers, sentence_tokens, site_width
from neurosteer.neurons import Ranking, resolve_topk, site_of
from neurosteer.pairs import LexicalSplitError, Pairs, Split, sentence_hashes
from neurosteer.probes import L0, STRENGTHS, L0Settings, Welch, welch
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.results import Json
from neurosteer.store import digest_of
from neurosteer.studies.bootstrap import few_pairs, groups_in
from neurosteer.studies.masks import MASK, MaskSearch, MaskSettings, MaskSite, mask_texts, search_mask
from neurosteer.studies.provenance import provenance
from neurosteer.vocabulary import (
    DIRECTION_KINDS,
    PAPER_METHODS,
    DirectionKind,
    FixedReference,
    Grain,
    Layers,
    Method,
    Position,
    Site,
    SplitKind,
)

from .assembly import SearchParts, result_of
from .attribution_ranking import Ablation, AttributionRanking, attribution_ranking, check_attribution
from .found import Found
from .layers import LayerResult, ProbeSettings, probe_layers, random_equivalent
from .request import check_request, directions_of, lambdas_of, say_cost
from .result_cache import load_or_find
from .top_states import TopStates


def find(
    model: Model,
    pairs: Pairs,
    *,
    methods: Sequence[Method] = PAPER_METHODS,
    split: SplitKind = "pair",
    topk: int | str = "1%",
    layers: Layers = "all",
    site: Site | None = None,
    by: Grain = "unit",
    position: Position = "eos",
    lambdas: Sequence[float] | None = None,
    to: FixedReference = "zero",
    steps: int = 1,
    directions: Sequence[DirectionKind] = (),
    draws: int = 5,
    seed: int = 0,
    l0: L0Settings = L0,
    mask: MaskSettings = MASK,
    neutral: str | Path | None = None,
    cache: bool = True,
    progress: Progress = AUTO,
) -> Found:
    """Rank the neurons of every layer by how well they tell good from bad, and measure what can be read from them.

    The top k neurons of each layer are compared with the dense probe, with random sets of the same size, with the
    L0-masked probe and, where pairs are split by pair, with the same probes on words that are new to training. L2
    strength, lambda and best layer are chosen on validation pairs. What is reported is measured on test pairs.

    Args:
        model: the model; it is not changed.
        pairs: the minimal pairs of one task.
        methods: how neurons are ranked: `welch`, `l0`, `mean-diff`, `l1` and `localizer` by what a probe can read,
            `attribution` and `causal-l0` by what the model uses. The first chooses the best layer.
        split: `pair`, or `lexical`: the contrasting words of test occur in no contrast of train.
        topk: how many neurons (or heads) of a layer: a count (40) or a share of them ("1%").
        layers: blocks, counted from 0: "all", one, or several.
        site: which activation is read; None is the residual stream after a block, and `z` where `by` is `head`.
        by: what is ranked and chosen as one: a `unit`, or a whole attention `head`.
        position: at which token: the appended `eos`, or the `last` one of the sentence.
        lambdas: weights of the classification loss against the L0 penalty, above 0 and at most 1; one is chosen. The
            smaller, the fewer units remain. None is a grid of six.
        to: what attribution and causal masks ablate to: `zero`, or the `mean` over the tokens of train sentences.
        steps: over how many points between the activation and `to` attribution averages gradients.
        directions: directions whose accuracy is measured too: the difference of `mean`s, the dense `probe`.
        draws: how many random sets are drawn at each layer.
        seed: decides the split and every draw.
        l0: how the masks of probes are trained.
        mask: what is asked of a causal mask (`share` of the margin, `kl` in nats per token), and how it is trained.
        neutral: a file of neutral text for causal masks. None is two small texts that are built in.
        cache: whether results are read from the cache, and written to it.
        progress: where progress and notices go.

    Returns:
        A `Found`: accuracies in [0, 1] by layer, a `Ranking` by each method, and the pairs as they were split.

    Raises:
        InputError: for a request that cannot be met.
        LexicalSplitError: where the words of the task allow no lexical split.

    Source:
        The experiment follows a paper on sparse probing of grammar. `neurosteer.rankings` has the source of each
        method.

    Example:
        >>> found = ns.find(model, pairs, methods=("attribution", "welch"), topk=12)
        >>> found
        Found(number, 3 layers, best layer 1)
        >>> found.layers[1].dense, found.ranking("welch").top(40)
        (1.0, NeuronSet(40 neurons at resid_post, layer 1))
    """
    expect(model, Model, "model")
    expect(pairs, Pairs, "pairs")
    check_request(methods, draws, by)
    grid = lambdas_of(lambdas)
    check_attribution(to, steps)
    text = None if neutral is None else Path(neutral)
    wanted = directions_of(directions)
    site = site_of(site, by)
    ablation = Ablation(site, resolve_layers(model, layers), to, steps)
    check_site(model, site, ablation.layers)
    parts = pairs.split(split, seed)
    cache = cache and can_cache(model, progress)
    remembered = Remembering(progress)

    def compute() -> Found:
        width = site_width(model, site, ablation.layers)
        say_cost(len(pairs), len(ablation.layers), width, site, progress)
        group = head_width(model, ablation.layers) if by == "head" else 1
        count = resolve_topk(topk, width // group, f"{by}s of a layer")
        settings = ProbeSettings(pairs.task, count, tuple(methods), grid, draws, seed, l0, wanted, group, mask)
        return _find(model, pairs, parts, settings, ablation, position, text, cache=cache, progress=remembered)

    if cache:
        key: dict[str, Json] = {
            "methods": list(methods),
            "split": split,
            "topk": str(topk).strip(),  # as asked: how wide some sites are, only a pass can tell
            "site": site,
            "by": by,
            "layers": list(ablation.layers),
            "position": position,
            "lambdas": list(grid) if "l0" in methods else None,
            "l0": l0.settings() if "l0" in methods else None,
            "ablation": ablation.settings if {"attribution", "causal-l0"} & {*methods} else None,
            "mask": [mask.settings(), digest_of(vars(mask_texts(text)))] if "causal-l0" in methods else None,
            "directions": list(wanted),
            "draws": draws,
            "seed": seed,
        }
        found = load_or_find(model, pairs, parts, key, compute, progress)
    else:
        found = compute()
    for notice in found.result.notices:
        if notice not in remembered.caveats:
            progress.notice(notice)
    return found


def _find(
    model: Model,
    pairs: Pairs,
    parts: Split,
    settings: ProbeSettings,
    ablation: Ablation,
    position: Position,
    neutral: Path | None,
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

    states, stats = read(parts.train_indices)

    def attributed(split: Split, asked: ProbeSettings) -> AttributionRanking | None:
        if "attribution" not in asked.methods:
            return None
        own = stats if split is parts else read(split.train_indices)[1]  # the mean is over its train sentences
        return attribution_ranking(
            model, split.train, split.validation, ablation, own, cache=cache, progress=progress
        )

    masked = None
    if "causal-l0" in settings.methods:
        place = MaskSite(site, tuple(layers), ablation.to, stats)
        masked = search_mask(
            model, parts, place, settings.mask, neutral=neutral, seed=settings.seed, cache=cache, progress=progress
        )
    search = _search(
        pairs, parts, states, settings, attributed, masked, device=model.float64_device, progress=progress
    )
    tokenise = partial(sentence_tokens, model)
    good, bad = (tokenise(side) for side in zip(*pairs.sentences, strict=True))
    same_tokens = sum(map(operator.eq, good, bad))
    search = replace(search, notices=[*progress.caveats, *pairs.remarks(same_tokens), *search.notices])
    metadata = provenance(
        model,
        pairs,
        position=position,
        split=parts.kind,
        seed=settings.seed,
        k=settings.topk,
        seen=sorted({*sentence_hashes(parts.train), *sentence_hashes(parts.validation)}),
        attribution=ablation.settings if "attribution" in settings.methods else None,
        probes={"strengths": list(STRENGTHS), "l2": {str(r.layer): r.l2 for r in search.results}},
    )
    rankings = {method: _ranking(model, search, method, ablation, stats, metadata) for method in settings.methods}
    result = result_of(
        search, parts, rankings, site=site, position=position, width=states.values.shape[-1], tokenise=tokenise
    )
    directions = {kind: {r.layer: r.directions[kind] for r in search.results} for kind in DIRECTION_KINDS}
    top = None if settings.by == "head" else TopStates.of(states, pairs, rankings.values())
    return Found(result, rankings, directions, pairs, parts, top)


def _ranking(
    model: Model,
    search: SearchParts,
    method: Method,
    ablation: Ablation,
    stats: UnitStats,
    metadata: Mapping[str, Json],
) -> Ranking:
    own = search.settings_of(method) | (ablation.settings if method == "attribution" else {})
    return Ranking(
        scores=search.unit_scores(method),
        best_layer=search.best_layer(method),
        method=method,
        stats=stats,
        model=model.fingerprint,
        site=ablation.site,
        metadata={**metadata, **own},
        group=search.settings.group,
    )


def _search(
    pairs: Pairs,
    parts: Split,
    states: EosStates,
    settings: ProbeSettings,
    attributed: Callable[[Split, ProbeSettings], AttributionRanking | None],
    masked: MaskSearch | None,
    *,
    device: torch.device,
    progress: Progress,
) -> SearchParts:
    """All probes of all layers, on the split asked for and, beside a split by pair, on new words."""

    def probe(split: Split, test: Welch, asked: ProbeSettings, what: str) -> list[LayerResult]:
        label = f"{pairs.task}: {what}, layers"
        return probe_layers(
            states,
            split.indices,
            test,
            asked,
            attribution=attributed(split, asked),
            mask=None if masked is None else masked.scores,
            device=device,
            what=label,
            progress=progress,
        )

    test = welch(states.values, parts.train_indices)
    results = probe(parts, test, settings, "probes")
    search = SearchParts(pairs, settings, results, test.significant())
    if masked is not None:
        search = replace(search, mask=masked.mask, mask_text=masked.text)
    best = search.result_at(search.best_layer(settings.methods[0]))
    groups = groups_in(parts.test)
    equivalent = random_equivalent(states, parts.indices, best, settings, device=device, groups=groups)

    held_out, notices, unseen = None, [], []
    if settings.methods[0] == "causal-l0":
        notices = ["no column for new words: a causal mask is not trained on them; name another method first"]
    elif parts.kind != "lexical":
        try:
            held_out = pairs.split("lexical", parts.seed)
        except LexicalSplitError as error:
            notices = [f"no column for new words: {error}"]
    if held_out is not None:
        asked = replace(settings, methods=settings.methods[:1], draws=0, directions=())
        unseen = probe(held_out, welch(states.values, held_out.train_indices), asked, "new words")
    notices += few_pairs(len(parts.test), len(set(groups.tolist())))
    return replace(search, equivalent=equivalent, held_out=held_out, unseen=unseen, notices=notices)
