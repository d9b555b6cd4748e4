"""Necessary: is the preference lost without the set?"""

from __future__ import annotations

from neurosteer.results import Estimate
from neurosteer.results.evidence import Answer
from neurosteer.studies.margins import ratio

from .numbers import holds, one_sided_p, too_few
from .wording import against, share
from .work import AnswerParts, AskedSet


def necessary(work: AskedSet) -> AnswerParts:
    """The share of the mean margin that is lost when the set is ablated, among matched controls."""
    why = work.no_preference() or too_few(len(work.test), work.n_groups, work.controls)
    if work.no_preference():
        return work.cannot_tell("necessary", why)
    after = work.passes.edited(work.test, [work.ablation(one) for one in work.sets])
    lost = ratio(work.clean - after[0], work.clean, work.groups, work.seed)
    controls = [float((work.clean - one).sum() / work.clean.sum()) for one in after[1:]]
    return AnswerParts(answer=_answer(work, lost, controls, why))


def _answer(work: AskedSet, lost: Estimate, controls: list[float], why: str) -> Answer:
    assert lost.value is not None
    p = one_sided_p(lost.value, controls) if controls else None
    verdict = None if why or p is None else holds(p, lost.low, 0.0)
    said = f"Without {work.counted} {share(lost)} of the mean margin is lost"
    return Answer(
        question="necessary",
        value=lost.value,
        low=lost.low,
        high=lost.high,
        p=p,
        holds=verdict,
        why=why,
        sentence=f"{said}{against(controls, p, work.compared)}.",
        measures=f"share of the mean margin lost without {work.called}",
        n=len(controls),
        controls=tuple(controls),
        overlap=work.overlap,
        tested=len(work.test),
    )
