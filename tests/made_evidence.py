"""Evidence made by hand: tables, figures and the command are tested with given numbers, without any model."""

from __future__ import annotations

from typing import Any

from made_effects import SPLIT, altered

from neurosteer.results import RankedNeuron
from neurosteer.results.effect import EqualDisturbance
from neurosteer.results.evidence import (
    Answer,
    Beside,
    CurvePoint,
    Elsewhere,
    EvidenceResult,
    NeutralText,
)
from neurosteer.results.pairs_used import MeasuredPairs
from neurosteer.vocabulary import QUESTIONS, Question

VALUES = {
    "encoded": (0.21, 0.15, 0.27),
    "necessary": (0.62, 0.55, 0.7),
    "sufficient": (0.31, 0.22, 0.41),
    "interchangeable": (0.12, 0.04, 0.2),
    "selective": (0.4, 0.31, 0.5),
    "isolated": (0.35, -0.1, 0.8),
}
GRID = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def make_answer(question: Question, **changes: Any) -> Answer:
    """One that holds, beside 19 controls from -.10 to .08, unless `changes` say so."""
    value, low, high = VALUES[question]
    found = Answer(
        question=question,
        value=value,
        low=low,
        high=high,
        p=0.05,
        q=0.06,
        holds=low > 0,
        sentence=f"A sentence about {question}.",
        measures=f"what {question} measures",
        n=19,
        controls=tuple(round(0.01 * i - 0.1, 3) for i in range(19)),
        overlap=0.17,
        tested=200,
        beside=(Beside(what=f"beside {question}", value=0.5, low=0.4, high=0.6, p=0.1),),
    )
    return altered(found, **changes)


def unknown(question: Question, why: str) -> Answer:
    """One that cannot be told."""
    given = {"value": None, "low": None, "high": None, "p": None, "q": None, "holds": None, "controls": (), "n": 0}
    return make_answer(question, why=why, sentence=f"Cannot tell: {why}.", beside=(), **given)


def make_evidence(method: str | None = "attribution", **changes: Any) -> EvidenceResult:
    """All six questions, one of which cannot be told, and everything that stands beside them."""
    tests = {question: make_answer(question) for question in QUESTIONS}
    tests["interchangeable"] = unknown("interchangeable", "only 12 items of this task can be aligned, 30 are wanted")
    found = EvidenceResult(
        task="intransitive",
        phenomenon="argument_structure",
        data=MeasuredPairs(source="./blimp", pairs=1000, digest="d1", split=SPLIT, tested=200),
        method=method,
        site="resid_post",
        layers=(14,),
        k=40,
        width=576,
        to="mean",
        seed=0,
        groups=198,
        margin=3.62,
        margin_low=3.1,
        margin_high=4.14,
        tests=tests,
        family=5,
        curve=tuple(
            CurvePoint(
                share=share,
                units=int(576 * share),
                f=share**0.5,
                low=share**0.5 - 0.05,
                high=share**0.5 + 0.05,
                reverse=share**3,
                controls=(share, share**1.2, share**0.8),
            )
            for share in GRID
        ),
        cpr=0.667,
        cmd=0.332,
        elsewhere=(
            Elsewhere(
                task="ellipsis_n_bar_1", kind="grammar", source="builtin", pairs=50, margin=1, sd=2, effect=0.1
            ),
            Elsewhere(task="wh_island", kind="grammar", source="builtin", pairs=50, margin=0, sd=2, effect=None),
        ),
        neutral=NeutralText(kl=0.175, controls=(0.1, 0.12), text="built-in", tokens=512),
        equal=EqualDisturbance(kl=0.1, scale=0.3, reached=0.101, scales=(0.0, 0.2), unreached=1),
        neurons=(RankedNeuron(layer=14, unit=3, score=4.2),),
        notices=(),
        verdict="encoded, necessary, sufficient and selective; not isolated; cannot tell: interchangeable",
        reading="All sentences.",
        neurons_from="runs/find-1",
    )
    return altered(found, **changes)
