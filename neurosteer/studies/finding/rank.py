"""`rank_neurons`: a ranking from pairs that the caller has split."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neurosteer.arguments import expect
from neurosteer.errors import InputError, did_you_mean
from neurosteer.forward import states_and_stats
from neurosteer.forward.cache import can_cache
from neurosteer.model import Model, check_site, head_width, resolve_layers, site_width
from neurosteer.neurons import Ranking, check_grain, member_scores, resolve_topk, site_of
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.probes import L0, L0Settings, welch
from neurosteer.progress import AUTO, Progress
from neurosteer.studies.masks import MASK, MaskSettings, MaskSite, Paths, mask_texts
from neurosteer.studies.provenance import provenance
from neurosteer.vocabulary import METHODS, FixedReference, Grain, Layers, Method, Position, Site

from .assembly import SearchParts
from .attribution_ranking import Ablation, attribution_ranking, check_attribution
from .layers import LAMBDAS, ProbeSettings, probe_layers
from .state_scores import state_scores


def rank_neurons(
    model: Model,
    train: Pairs,
    *,
    method: Method = "welch",
    validation: Pairs | None = None,
    lam: float | None = None,
    to: FixedReference = "zero",
    steps: int = 1,
    l0: L0Settings = L0,
    mask: MaskSettings = MASK,
    topk: int | str = "1%",
    layers: Layers = "all",
    site: Site | None = None,
    by: Grain = "unit",
    position: Position = "eos",
    seed: int = 0,
    progress: Progress = AUTO,
) -> Ranking:
    """Score every unit on pairs of your own split.

    Args:
        model: the model; it is not changed.
        train: the pairs that rank.
        method: as in `find`.
        validation: pairs that choose the best layer, and the lambda of `l0`; without them no layer is best.
        lam: the weight of the classification loss against the L0 penalty, above 0 and at most 1, if no validation
            pairs choose it.
        to: what attribution and causal masks ablate to: `zero`, or the `mean` over the tokens of train sentences.
        steps: over how many points between the activation and `to` attribution averages gradients.
        l0: how masks of probes are trained.
        mask: how causal masks are trained. There are no test pairs here, so none chooses a set.
        topk: how many neurons the best layer is chosen for: a count (40) or a share of the width ("1%").
        layers: blocks, counted from 0: "all", one, or several.
        site: which activation is read; None is the residual stream after a block, and `z` where `by` is `head`.
        by: what is ranked as one: a `unit`, or a whole attention `head`.
        position: at which token: the appended `eos`, or the `last` one of the sentence.
        seed: decides how masks start.
        progress: where progress and notices go.

    Returns:
        A ranking whose `scores` are `[layer, unit]`; `neurosteer.rankings` has their unit and source.

    Raises:
        InputError: for a method that is unknown or lacks what it needs, and for parts that share a sentence.

    Example:
        >>> train, validation, test = pairs.split("pair")
        >>> own = ns.rank_neurons(model, train, method="attribution", validation=validation, topk=12)
        >>> own
        Ranking(attribution of number, 3 layers x 384 units, best layer 1)
    """
    expect(model, Model, "model")
    expect(train, Pairs, "train")
    if validation is not None:
        expect(validation, Pairs, "validation")
    check_attribution(to, steps)
    chosen, site = resolve_layers(model, layers), site_of(site, by)
    check_site(model, site, chosen)
    group = head_width(model, chosen) if by == "head" else 1
    settings = replace(_settings(train, validation, method, lam, seed), l0=l0, group=group)
    check_grain(method, by)
    settings = replace(settings, topk=resolve_topk(topk, site_width(model, site, chosen) // group))
    held = validation.pairs if validation is not None else ()
    both = replace(train, pairs=train.pairs + held)
    seen = range(len(train))
    states, stats = states_and_stats(
        model, both, seen, site=site, layers=chosen, position=position, progress=progress
    )
    test, best, fitted, attributed = welch(states.values, seen), None, {}, None
    scores = state_scores(states.values, seen, test, [method]).get(method)
    if method == "attribution":
        ablation = Ablation(site, chosen, to, steps)
        attributed = attribution_ranking(model, train, validation or train, ablation, stats, progress=progress)
        scores, fitted = attributed.train.float(), ablation.settings
    trained = None
    if method == "causal-l0":
        trained = _mask(model, train, MaskSite(site, chosen, to, stats), mask, seed, progress)
        scores, fitted = trained, {"to": to, "mask": {**mask.settings(), "text": None}, "set": None}
    if scores is not None:
        scores = member_scores(scores, method, group).repeat_interleave(group, dim=1)
    if scores is None or held:
        judge = range(len(train), len(both)) if held else seen
        parts = {"train": seen, "validation": judge, "test": judge}
        what = f"{train.task}: probes, layers"
        results = probe_layers(
            states,
            parts,
            test,
            settings,
            attribution=attributed,
            mask=trained,
            device=model.float64_device,
            what=what,
            progress=progress,
        )
        search = SearchParts(train, settings, results, ())
        scores = search.unit_scores(method)
        fitted |= search.settings_of(method)
        best = search.best_layer(method) if held else None
    metadata = provenance(
        model,
        train,
        position=position,
        split="own",
        seed=seed,
        k=settings.topk,
        seen=sentence_hashes(both),
        **fitted,
    )
    return Ranking(scores, best, method, stats, model.fingerprint, site, metadata, group)


def _mask(
    model: Model, train: Pairs, place: MaskSite, mask: MaskSettings, seed: int, progress: Progress
) -> Float[Tensor, "layer unit"]:
    """The mean of the paths of all seeds."""
    cache = can_cache(model, progress)
    paths = Paths(model, train, place, mask, mask_texts(None).train, seed, cache=cache, progress=progress)
    return torch.stack([paths.follow(number).scores for number in range(mask.seeds)]).mean(dim=0)


def _settings(
    train: Pairs,
    validation: Pairs | None,
    method: Method,
    lam: float | None,
    seed: int,
) -> ProbeSettings:
    if method not in METHODS:
        raise InputError(f"unknown method '{method}'{did_you_mean(method, METHODS)}; one of {', '.join(METHODS)}")
    if method == "l0" and validation is None and lam is None:
        raise InputError("method 'l0' chooses its lambda on validation pairs: give validation= or lam=")
    if lam is not None and not 0 < lam <= 1:
        raise InputError(f"lambda must be above 0 and at most 1, not {lam}")
    for name, part, least in (("train", train, 2), ("validation", validation, 1)):
        if part is not None and len(part) < least:
            raise InputError(f"{name} needs at least {least} pairs, not {len(part)}")
    if validation is not None and set(sentence_hashes(train)) & set(sentence_hashes(validation)):
        raise InputError("train and validation share sentences; split them with pairs.split()")
    grid = LAMBDAS if lam is None else (lam,)
    return ProbeSettings(train.task, 1, (method,), grid, draws=0, seed=seed)
