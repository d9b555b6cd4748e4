"""`rank_neurons`: a ranking from pairs that the caller has split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from neurosteer.errors import InputError
from neurosteer.forward import states_and_stats
from neurosteer.model import Model, resolve_layers, site_width
from neurosteer.neurons import METHODS, Ranking, resolve_k
from neurosteer.pairs import Pairs, sentence_hashes
from neurosteer.probes import welch
from neurosteer.progress import QUIET, Progress

from .layers import LAMBDAS, Settings, probe_layers
from .provenance import provenance


def rank_neurons(
    model: Model,
    train: Pairs,
    *,
    method: str = "welch",
    validation: Pairs | None = None,
    lam: float | None = None,
    k: int | str = "1%",
    layers: str | int | Sequence[int] = "all",
    site: str = "resid_post",
    position: str = "eos",
    seed: int = 0,
    progress: Progress = QUIET,
) -> Ranking:
    """Score every unit on `train`. With `validation` pairs the ranking also knows its best layer (for `k` units).

    `welch` needs nothing else. `l0` chooses lambda on `validation`, or takes `lam`. Raises `InputError` for a method
    that is unknown or lacks what it needs.
    """
    if method not in METHODS:
        raise InputError(f"unknown method '{method}'; one of {', '.join(METHODS)}")
    if method == "l0" and validation is None and lam is None:
        raise InputError("method 'l0' chooses its lambda on validation pairs: give validation= or lam=")
    if lam is not None and not 0 < lam <= 1:
        raise InputError(f"lambda must be above 0 and at most 1, not {lam}")
    chosen = resolve_layers(model, layers)
    judged = validation or train
    both = replace(train, pairs=train.pairs + (validation.pairs if validation else ()))
    seen = range(len(train))
    held = range(len(train), len(both)) if validation else seen
    states, stats = states_and_stats(
        model, both, seen, site=site, layers=chosen, position=position, progress=progress
    )
    t = welch(states.take(seen).values).t
    scores, best = t.abs().float(), None
    if method == "l0" or validation is not None:
        grid = LAMBDAS if lam is None else (lam,)
        width = resolve_k(k, site_width(model, site))
        settings = Settings(train.task, width, (method,), grid, draws=0, seed=seed)
        parts = {"train": seen, "validation": held, "test": held}
        what = f"{train.task}: probes, layers"
        results = probe_layers(states, parts, t, settings, device=model.device, what=what, progress=progress)
        scores = torch.stack([result.scores[method] for result in results])
        if validation is not None:
            best = max(results, key=lambda result: result.topk[method].validation).layer
    about = provenance(
        model,
        train,
        position=position,
        split="own",
        seed=seed,
        seen=sorted({*sentence_hashes(train), *sentence_hashes(judged)}),
    )
    return Ranking(scores, chosen, best, method, stats, model.fingerprint, site, about)
