"""The tables of the page, and the rows of the CSV files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import log

from neurosteer.experiments.experiment import Rows
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import NONE, lambda_text, number, percent, signed
from neurosteer.report.table import Table
from neurosteer.results import Estimate, record

from .result import DEPENDS, Claim, ClaimName, Factor, Scale, Sensitivity, Summary

FACTOR_NAMES: Mapping[Factor, str] = {
    "states": "states",
    "start": "start of the weights",
    "log_alpha": "start of the gates",
    "training": "training",
}
CLAIM_NAMES: Mapping[ClaimName, str] = {
    "b": "(b) the two selections agree, at λ = {lam}",
    "b_equal": "(b) at an equal kept share of {share}",
    "d": "(d) later layers keep more units, at equal λ",
    "d_equal": "(d) later layers need more units for 95 % of the dense accuracy",
}


def tables(result: Sensitivity, scope: Scope) -> list[Table]:
    """The verdicts and what they depend on, every configuration, and how far layers differ in scale."""
    return [_claims(result), _configurations(result), _scales(result)]


def csvs(result: Sensitivity) -> Mapping[str, Rows]:
    differences = [{"claim": claim.claim, **record(one)} for claim in result.claims for one in claim.differences]
    return {
        "": result.configurations,
        "lambdas": result.rows,
        "layers": result.by_layer,
        "differences": differences,
    }


def _claims(result: Sensitivity) -> Table:
    at, share = lambda_text(result.lam), percent(result.share)
    columns: list[tuple[str, Callable[[Claim], str]]] = [
        ("claim", lambda one: CLAIM_NAMES[one.claim].format(lam=at, share=share)),
        ("verdict", lambda one: one.verdict),
        ("ways", lambda one: one.text),
        ("depends on (ways up)", _dependence),
    ]
    caption = (
        "Each claim in every way to train. Up: with the whole 95 % interval, the mean agreement over layers is above "
        "half of what ties allow (b), or Spearman of layer and units above 0 (d; at equal λ, at more than half of "
        "them); down: below. A claim depends on a choice where ways that differ in it alone differ by more than "
        "resampling makes likely"
    )
    return Table.of(caption, result.claims, columns, left=4)


def _dependence(claim: Claim) -> str:
    """The factors on which a claim depends, strongest first, with the configurations that are up by each choice."""
    if claim.verdict != DEPENDS:
        return "-"
    if not claim.depends_on:
        return "a combination of choices"
    return "; ".join(
        f"{FACTOR_NAMES[factor]}: "
        + ", ".join(f"{choice} {count.up} of {count.of}" for choice, count in claim.by_choice[factor].items())
        for factor in claim.depends_on
    )


def _configurations(result: Sensitivity) -> Table:
    share = percent(result.share)
    columns: list[tuple[str, Callable[[Summary], str]]] = [
        ("states", lambda row: row.states),
        ("weights", lambda row: row.start),
        ("log alpha", lambda row: f"{row.log_alpha:g}"),
        ("training", lambda row: row.training),
        ("loss", lambda row: number(row.loss, 3) + ("" if row.trained else " (worse than closed gates)")),
        ("kept", lambda row: percent(row.kept)),
        ("accuracy / dense", lambda row: number(row.relative)),
        ("Spearman (layer, kept)", lambda row: _signed(row.rho)),
        ("(d)", lambda row: row.d),
        ("layers where |t| and gates agree", lambda row: f"{row.agreeing_layers} of {row.of_layers}"),
        ("agreement less half", lambda row: _signed(row.beyond_half)),
        ("(b)", lambda row: row.b),
        ("needed for 95 %", lambda row: percent(row.needed)),
        (f"accuracy / dense at {share}", lambda row: number(row.relative_equal)),
        ("Spearman (layer, needed)", lambda row: _signed(row.rho_equal)),
        (f"(d) at {share}", lambda row: row.d_equal),
        (f"layers that agree at {share}", lambda row: f"{row.agreeing_layers_equal} of {row.of_layers_equal}"),
        (f"agreement less half at {share}", lambda row: _signed(row.beyond_half_equal)),
        (f"(b) at {share}", lambda row: row.b_equal),
    ]
    caption = (
        f"Every way to train, at λ = {lambda_text(result.lam)} and, on the right, at equal kept share; means over "
        "tasks and layers. The loss is each training's own: compare within a training. Where it is above that of "
        f"closed gates ({number(result.lam * log(2), 3)}), nothing is judged at this λ"
    )
    return Table.of(caption, result.configurations, columns, left=4)


def _signed(one: Estimate) -> str:
    """`+.20 [-.10, +.50]`; without brackets where there is no interval."""
    bare = one.low is None or one.high is None
    return signed(one.value) if bare else f"{signed(one.value)} [{signed(one.low)}, {signed(one.high)}]"


def _scales(result: Sensitivity) -> Table:
    columns: list[tuple[str, Callable[[Scale], str]]] = [
        ("layer", lambda row: str(row.layer)),
        ("standard deviation: median unit", lambda row: NONE if row.level is None else f"{row.level:.3g}"),
        ("largest", lambda row: NONE if row.loudest is None else f"{row.loudest:.3g}"),
        ("dense accuracy", lambda row: number(row.dense)),
    ]
    caption = (
        "How far the units of a layer vary (mean over tasks): where they vary more, a weight of the same size counts "
        "for as much more. Scaled states are divided by the median"
    )
    return Table.of(caption, result.level, columns, left=0)
