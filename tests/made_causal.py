"""Results of causal transfer made by hand, with numbers like real ones: what its tables and figures are drawn from.

The tasks are BLiMP's names; every number is invented, as the tests are about how given numbers are laid out. That
such results could be real is tested in `test_causal_result`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import get_args

import numpy as np
from described import described

from neurosteer.experiments.causal.result import (
    CONTRASTS,
    KINDS,
    CausalTransfer,
    Cell,
    Cells,
    Compared,
    ControlMean,
    Family,
    FamilyName,
    MatrixAgreement,
    MeanDrop,
    MethodSummary,
    NeutralRow,
    Quantity,
)
from neurosteer.experiments.intervals import TaskSamples
from neurosteer.experiments.scope import Data, Scope, ScopeSettings, TaskInfo
from neurosteer.pairs import TASKS, Baselines
from neurosteer.vocabulary import CAUSAL_METHODS as METHODS
from neurosteer.vocabulary import Method

STRENGTHS: Mapping[Method, float] = {"welch": 0.5, "l0": 0.12, "attribution": 1.4}
WIDTH = 576


def made_causal(tasks: int = 20, *, controls: int = 19) -> CausalTransfer:
    """One task of each phenomenon is measured, the last; the mask of the last of these is closed."""
    rng = np.random.default_rng(7)
    chosen = sorted((task.phenomenon, task.uid) for task in TASKS)[:tasks]
    names, phenomena = [uid for _, uid in chosen], [phenomenon for phenomenon, _ in chosen]
    measured = list(dict(chosen).values())
    predicted = {method: _predicted(rng, phenomena, STRENGTHS[method]) for method in METHODS}
    cells = [
        _cell(rng, method, (a, b), predicted[method][names.index(a)][names.index(b)], controls, a == measured[-1])
        for method in METHODS
        for a, b in product(measured, repeat=2)
    ]
    several = len(measured) > 1
    effects = [row for method in METHODS for row in _effects(method, several)]
    return CausalTransfer(
        experiment="causal",
        layer=14,
        k=40,
        controls=controls,
        cell_controls=199,
        null_searches=39,
        pairs=100,
        tasks=names,
        phenomena=phenomena,
        measured=measured,
        nothing_to_lose=[],
        methods=METHODS,
        massive=[138, 378],
        predicted=predicted,
        cells=cells,
        families=_families(measured, controls),
        neutral=[_neutral(method, source) for method, source in product(METHODS, measured)],
        effects=effects,
        control_means=[
            ControlMean(method, i, kind, -0.1 + rng.normal(0, 0.05) if several and kind != "related" else None)
            for method, kind, i in product(METHODS, KINDS, range(controls))
        ],
        null_changes=[],
        agreement=[
            _agreement(method, what, place, len(measured), several)
            for method in METHODS
            for place, what in enumerate(get_args(Compared))
        ],
        summary={
            method: _summary([cell for cell in cells if cell.method == method], effects, method) for method in METHODS
        },
    )


def made_scope(result: CausalTransfer) -> Scope:
    """What a run with this result is about."""
    tasks = [
        TaskInfo(task, phenomenon, 1000, 600, 200, 200, 0, Baselines(*[0.5] * 6))
        for task, phenomenon in zip(result.tasks, result.phenomena, strict=True)
    ]
    settings = ScopeSettings(
        k=result.k,
        width=WIDTH,
        n_layers=30,
        layers=(result.layer,),
        ks=(result.k, WIDTH),
        sizes=(result.k,),
        lambdas=(0.2,),
        draws=5,
        layer=result.layer,
        lam=0.2,
        site="resid_post",
        position="eos",
        l0={},
        resampled=TaskSamples.of(result.phenomena, 0).resampled,
    )
    data = Data("nyu-mll/blimp", 1000 * len(tasks), "pair", 0)
    return Scope(described("smollm2-135m"), data, tuple(tasks), (), settings)


def _predicted(rng: np.random.Generator, phenomena: Sequence[str], strength: float) -> Cells:
    n, of = len(phenomena), np.array(phenomena)
    same = of[:, None] == of
    values = np.eye(n) + 0.45 * same * rng.random((n, n)) + 0.16 * rng.normal(size=(n, n))
    found: Cells = (-strength * values).tolist()
    return found


def _cell(
    rng: np.random.Generator,
    method: Method,
    tasks: tuple[str, str],
    predicted: float | None,
    controls: int,
    last: bool,
) -> Cell:
    assert predicted is not None
    delta = 0.8 * predicted + 0.1 * STRENGTHS[method] * float(rng.normal())
    empty = method == "l0" and last
    p = None if empty else float(np.exp(-6 * abs(delta) / STRENGTHS[method]))
    return Cell(
        method=method,
        source=tasks[0],
        target=tasks[1],
        delta=None if empty else delta,
        controls_mean=None if empty else -0.04,
        controls_sd=None if empty else 0.11,
        beyond=None if empty else delta + 0.04,
        p=p,
        accuracy_before=None if empty else 0.8,
        accuracy_after=None if empty else 0.8 + 0.08 * delta,
        others_controls_mean=-0.03,
        beyond_others=None if empty else delta + 0.03,
        predicted=predicted,
        related=False,  # each measured task has a phenomenon of its own
        margin_before=3.1,
        margin_low=2.6,
        margin_high=3.6,
        nothing_to_lose=False,
        pairs=100,
        left_out=0,
        units=0 if empty else 40,
        controls=0 if empty else controls,
        q=None if p is None or controls < 199 else min(1.0, 2 * p),
    )


def _families(measured: Sequence[str], controls: int) -> list[Family]:
    """Of every second one p is small."""
    names: tuple[FamilyName, ...] = get_args(FamilyName)
    rows = []
    for number, (method, name) in enumerate(product(METHODS, names)):
        found = number % 2 == 0
        rows.append(
            Family(
                method=method,
                family=name,
                tasks=len(measured),
                cells=len(measured) * (len(measured) - 1 if name == "other" else 1),
                nothing_to_lose=0,
                empty=int(method == "l0"),
                sets=40 if name == "search" else controls + 1,
                draws=100_000,
                mean=-0.4,
                controls_mean=-0.1,
                beyond=-0.3,
                null_low=-0.21,
                null_high=0.02,
                p=0.00012 if found else 0.31,
                share_lost=0.11,
                detectable=0.084,
                verdict=f"made up: {'falls more' if found else 'no difference is shown'}",
            )
        )
    return rows


def _neutral(method: Method, source: str) -> NeutralRow:
    return NeutralRow(
        method=method,
        source=source,
        units=40,
        kl=0.15,
        kl_controls_mean=0.06,
        kl_controls_low=0.02,
        kl_controls_high=0.11,
        perplexity_before=21.3,
        perplexity=24.6,
        perplexity_controls_mean=22.4,
        perplexity_controls_low=21.9,
        perplexity_controls_high=23.0,
        unmatched=0.2,
        overlap=0.07,
        tokens=1182,
    )


def _effects(method: Method, several: bool) -> list[MeanDrop]:
    whats: tuple[Quantity, ...] = get_args(Quantity)
    rows = []
    for what, (place, kind) in product(whats, enumerate((*KINDS, *CONTRASTS))):
        drop = (1 + METHODS.index(method)) * (0.5 - 0.06 * place) if several and kind != "related" else None
        low, high = (None, None) if drop is None else (drop - 0.2, drop + 0.2)
        rows.append(MeanDrop(method, what, kind, drop, low, high, 12))
    return rows


def _agreement(method: Method, what: Compared, place: int, measured: int, several: bool) -> MatrixAgreement:
    rho = 0.1 + 0.12 * place - 0.05 * METHODS.index(method) if several else None
    low, high = (None, None) if rho is None else (rho - 0.15, rho + 0.14)
    of_all = what.endswith("~ predicted")
    return MatrixAgreement(method, what, rho, low, high, 4422 if of_all else measured**2)


def _summary(cells: Sequence[Cell], effects: Sequence[MeanDrop], method: Method) -> MethodSummary:
    means: dict[str, float | None] = {}
    for row in effects:
        if (row.method, row.what) == (method, "measured") and row.kind in KINDS:
            delta, low, high = (None if end is None else -end for end in (row.drop, row.high, row.low))
            means |= {f"{row.kind}_delta": delta, f"{row.kind}_low": low, f"{row.kind}_high": high}
    own, other = ([cell.q for cell in cells if cell.own is same and cell.q is not None] for same in (True, False))
    several = len({cell.source for cell in cells}) > 1
    return MethodSummary(
        cells=len(cells),
        judged_own=len(own),
        significant_own=sum(q < 0.05 for q in own) if own else None,
        judged_other=len(other),
        significant_other=sum(q < 0.05 for q in other) if other else None,
        in_common=0.21 + 0.1 * METHODS.index(method) if several else None,
        in_common_chance=0.069 if several else None,
        **means,
    )
