"""Claims (b) and (d) in every configuration of the training."""

from __future__ import annotations

from statistics import fmean

from neurosteer.experiments.experiment import Results
from neurosteer.experiments.fig2 import above_zero
from neurosteer.experiments.scope import Scope
from neurosteer.results import Verdict

from .result import NAME, UNJUDGED, Claim, Sensitivity


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Whether the masks keep their answers however they are trained."""
    result: Sensitivity = results[NAME]
    at, resampled = f"lambda {result.lam:g}", scope.settings.resampled
    trends = ", ".join(f"{states} {rho:+.2f}" for states, rho in _mean_rho(result).items())
    return [
        _verdict(
            result.claim("b"),
            "The two selections agree, however masks are trained.",
            f"up: at {at} the Spearman of |t| and gate is, on average over layers, above half of the largest that "
            f"ties allow, with the whole 95 % interval over {resampled.what}; down: below",
            _at_equal_share(result.claim("b_equal"), f"{result.share:.0%} of the units kept"),
        ),
        _verdict(
            result.claim("d"),
            "Later layers spread the information over more units, however masks are trained.",
            "up: at more than half of the lambdas below 1 the mean kept share rises with the layer "
            f"({above_zero(resampled)}); down: it falls",
            f"Spearman of layer and kept share at {at}, mean over ways: {trends}. "
            + _at_equal_share(result.claim("d_equal"), "the share that 95 % of the dense accuracy needs"),
        ),
    ]


def _verdict(claim: Claim, statement: str, criterion: str, beside: str) -> Verdict:
    """`holds` counts the configurations that are up, `of` all: those too that are not shown or cannot be judged."""
    text = f"{claim.verdict}: {claim.text}"
    return Verdict(
        claim=claim.claim,
        statement=statement,
        criterion=criterion,
        holds=claim.up,
        of=0 if claim.verdict == UNJUDGED else claim.configurations,
        unit="ways to train",
        text=text,
        reading=f"{text[0].upper()}{text[1:]}. {beside}",
    )


def _at_equal_share(claim: Claim, what: str) -> str:
    return f"At equal share ({what}): {claim.verdict}: {claim.text}."


def _mean_rho(result: Sensitivity) -> dict[str, float]:
    """Spearman of layer and kept share by the states that masks are trained on: means over configurations."""
    by_states: dict[str, list[float]] = {}
    for row in result.configurations:
        if row.rho.value is not None:
            by_states.setdefault(row.states, []).append(row.rho.value)
    return {states: fmean(values) for states, values in by_states.items()}
