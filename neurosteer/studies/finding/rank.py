"""`rank_neurons`: a ranking from pairs that the caller has split."""

from __future__ import annotations

from dataclasses import replace

import torch

from neurosteer.errors import InputError, did_you_mean
from neurosteer.forward import states_and_stats
from neurosteer.model import Model, resolve_layers, site_width
from neurosteer.neurons import Ranking, resolve_topk
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.probes import L0, L0Settings, welch
from neurosteer.progress import AUTO, Progress
from neurosteer.studies.provenance import provenance
from neurosteer.vocabulary import METHODS, FixedReference, Layers, Method, Position, Site

from .entry import Search
from .layers import LAMBDAS, Settings, probe_layers
from .use import Ablation, check_attribution, predict_use


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
    k: int | str = "1%",
    layers: Layers = "all",
    site: Site = "resid_post",
    position: Position = "eos",
    seed: int = 0,
    progress: Progress = AUTO,
) -> Ranking:
    """Score every unit on `train`. With `validation` pairs the ranking also knows its best layer (for `k` units).

    `welch` needs nothing else. `l0` chooses lambda on `validation`, or takes `lam`; the settings `l0` say how
    masks are trained. `attribution` predicts ablation `to` zero or the mean, with gradients averaged over `steps`.
    Raises `InputError` for a method that is unknown or lacks what it needs, and for parts that share a sentence.
    """
    settings = replace(_settings(model, train, validation, method, lam, k, site, seed), l0=l0)
    check_attribution(to, steps)
    chosen = resolve_layers(model, layers)
    held = validation.pairs if validation is not None else ()
    both = replace(train, pairs=train.pairs + held)
    seen = range(len(train))
    states, stats = states_and_stats(
        model, both, seen, site=site, layers=chosen, position=position, progress=progress
    )
    t = welch(states.values, seen).t
    scores, best, fitted = t.abs().float(), None, {}
    used = None
    if method == "attribution":
        ablation = Ablation(site, chosen, to, steps)
        used = predict_use(model, train, validation or train, ablation, stats, progress=progress)
        scores, fitted = used.train.float(), {"to": to, "steps": steps}
    if method == "l0" or held:
        judge = range(len(train), len(both)) if held else seen
        parts = {"train": seen, "validation": judge, "test": judge}
        what = f"{train.task}: probes, layers"
        results = probe_layers(
            states, parts, t, settings, used=used, device=model.float64_device, what=what, progress=progress
        )
        search = Search(train, None, settings, results, ())
        scores = torch.stack([result.scores[method] for result in results])
        fitted |= search.settings_of(method)
        best = search.best_layer(method) if held else None
    about = provenance(
        model,
        train,
        position=position,
        split="own",
        seed=seed,
        k=settings.k,
        seen=sentence_hashes(both),
        **fitted,
    )
    return Ranking(scores, best, method, stats, model.fingerprint, site, about)


def _settings(
    model: Model,
    train: Pairs,
    validation: Pairs | None,
    method: Method,
    lam: float | None,
    k: int | str,
    site: Site,
    seed: int,
) -> Settings:
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
    return Settings(train.task, resolve_topk(k, site_width(model, site)), (method,), grid, draws=0, seed=seed)
