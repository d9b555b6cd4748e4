"""`evidence`: six questions about a neuron set or a direction, answered together, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from time import perf_counter
from typing import Literal

from neurosteer.arguments import expect
from neurosteer.errors import InputError, did_you_mean
from neurosteer.model import Model, active_edits
from neurosteer.neurons import Direction, NeuronSet
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import AUTO, Progress, Remembering
from neurosteer.results.evidence import Answer, EvidenceResult
from neurosteer.results.pairs_used import MeasuredPairs, PairsUsed, SplitSizes
from neurosteer.studies.finding import Found
from neurosteer.studies.neutral import read_neutral
from neurosteer.vocabulary import QUESTIONS, FixedReference, Layers, Method, Question

from .answer_cache import load_or_ask
from .chosen import Chosen, chosen_of, direction_of, layers_among, method_of
from .encoded import encoded
from .interchange import interchangeable
from .interpretation import reading_of, verdict_of
from .isolated import isolated
from .necessary import necessary
from .numbers import false_discovery
from .passes import Passes
from .plan import seconds_of
from .result import Evidence
from .selective import selective
from .settings import EvidenceSettings
from .sufficient import sufficient
from .work import AnswerParts, AskedSet, check_work

MUCH = 0.5  # of a direction, in its controls
ASK: Mapping[Question, Callable[[AskedSet], AnswerParts]] = {
    "encoded": encoded,
    "necessary": necessary,
    "sufficient": sufficient,
    "interchangeable": interchangeable,
    "selective": selective,
    "isolated": isolated,
}


def evidence(
    model: Model,
    found: Found,
    *,
    method: Method | None = None,
    topk: int | str | None = None,
    layers: Layers | None = None,
    neurons: NeuronSet | None = None,
    direction: Direction | None = None,
    to: FixedReference = "mean",
    only: Sequence[Question] | None = None,
    controls: int = 19,
    nulls: int | None = None,
    kl: float | Literal["auto"] | None = None,
    map: bool = False,
    others: Sequence[Pairs] | None = None,
    meaning: Sequence[Pairs] | None = None,
    neutral: str | Path | None = None,
    seed: int | None = None,
    offline: bool = False,
    progress: Progress = AUTO,
) -> Evidence:
    """Ask whether a neuron set is encoded, necessary, sufficient, interchangeable, selective and isolated.

    Each answer has a value with its 95 % interval, matched controls under the same procedure, and a one-sided p among
    them. Margins are measured on the test pairs of `found`. Complete answers are cached: a call that was stopped
    continues there.

    Args:
        model: the model; it is not changed.
        found: what `find` found in it: its rankings choose the set, its test pairs are measured.
        method: the ranking that chooses; None is the first of `found`.
        topk: how many neurons: a count (40) or a share ("1%"); None is that of `found`.
        layers: from which blocks: one, several or "all"; None is the ranking's best layer.
        neurons: a set of your own choice instead. Without a ranking, some questions cannot be answered.
        direction: a direction instead, such as `found.direction("mean")`: it has no ranking, so there is no curve.
        to: what edits move neurons towards: their `mean` over tokens, or `zero`.
        only: the questions to ask; None is all six.
        controls: matched sets; at least 19 for a verdict.
        nulls: searches on exchanged labels, at least 19 for a verdict; None is 39, and 19 for `causal-l0`.
        kl: compare also where each set disturbs neutral text as much: a KL in nats per token, or "auto".
        map: find also which layer and region of factorial items the preference follows.
        others: tasks that the set should not change; None is one of each other phenomenon.
        meaning: pairs about meaning that it should not change; None is the built-in ones.
        neutral: a file of neutral text. None is a small text that is built in.
        seed: decides every draw; None is that of `found`.
        offline: never use the network.
        progress: where progress and notices go.

    Returns:
        An `Evidence`: an answer to each question, the curve of faithfulness, the effect on other tasks, the verdict.

    Raises:
        InputError: for a request that cannot be met: a larger set than the layers, neurons of another model, test
            pairs that the search has seen, an unknown question.

    Source:
        CPR and CMD, the areas of the curve, are those of the circuit track of MIB.

    Example:
        >>> answers = ns.evidence(model, found, method="attribution", topk=12, only=("necessary",))
        >>> answers.verdict, answers.tests["necessary"].p
        ('necessary', 0.05)
    """
    expect(model, Model, "model")
    expect(found, Found, "found")
    settings = EvidenceSettings(
        to=to,
        controls=controls,
        nulls=nulls,
        kl=None if kl == "auto" else kl,
        auto_kl=kl == "auto",
        map=map,
        seed=found.split.seed if seed is None else seed,
        offline=offline,
    )
    if direction is not None:
        chosen = _direction_alone(found, direction, (method, topk, layers, neurons))
    else:
        own, ranking = chosen_of(found, method, topk, layers, neurons)
        chosen = Chosen(own, ranking, layers_among(own, ranking, layers))
    [answer] = ask(
        model,
        found.pairs,
        found.split,
        [chosen],
        settings,
        only=only,
        others=others,
        meaning=meaning,
        neutral=None if neutral is None else Path(neutral),
        progress=progress,
    )
    return answer


def ask(
    model: Model,
    pairs: Pairs,
    split: Split,
    chosen: Sequence[Chosen],
    settings: EvidenceSettings,
    *,
    only: Sequence[Question] | None = None,
    others: Sequence[Pairs] | None = None,
    meaning: Sequence[Pairs] | None = None,
    neutral: Path | None = None,
    progress: Progress,
) -> list[Evidence]:
    """The evidence of several sets, or directions, of one task: their questions are one family. See `evidence`."""
    questions = _questions(only)
    if active_edits(model):
        raise InputError("the model is being steered: ask outside of the `with` block, about the unedited model")
    remembered = Remembering(progress)
    passes = Passes(model, remembered)
    name, text = read_neutral(neutral)
    works = [
        AskedSet(
            model=model,
            neurons=one.neurons,
            direction=one.direction,
            layers=one.layers,
            method=method_of(one.ranking),
            ranking=one.ranking,
            topk=one.neurons.metadata.get("k", len(one.neurons.members)),
            position=one.neurons.metadata.get("position", "eos"),
            pairs=pairs,
            split=split,
            others=others,
            meaning=meaning,
            neutral=text,
            neutral_name=name,
            passes=passes,
            nulls=settings.nulls_of(method_of(one.ranking)),
            **{each.name: getattr(settings, each.name) for each in fields(settings) if each.name != "nulls"},
        )
        for one in chosen
    ]
    for work in works:
        check_work(work)
        if work.direction is not None and (shared := work.overlap or 0.0) > MUCH:
            remembered.caveat(
                f"the random directions are {100 * shared:.0f} % this one, as few units vary far more than others "
                "at this layer: beside them little can be seen"
            )
    parts = _answers(works, questions, remembered)
    return _as_family([_evidence(work, own, remembered.caveats) for work, own in zip(works, parts, strict=True)])


def _answers(
    works: Sequence[AskedSet], questions: Sequence[Question], progress: Progress
) -> list[dict[Question, AnswerParts]]:
    """Each question of each set in turn; progress hears how long the rest will take."""
    costs = seconds_of(works, questions)
    whole, total = sum(map(sum, costs)), len(works) * len(questions)
    spent, left, done = 0.0, whole, 0
    progress.whole(0, total, share=0.0, left=left)
    answers: list[dict[Question, AnswerParts]] = []
    for work, own in zip(works, costs, strict=True):
        answers.append({})
        for question, cost in zip(questions, own, strict=True):
            began = perf_counter()
            answers[-1][question] = load_or_ask(work, question, ASK[question])
            spent, left, done = spent + perf_counter() - began, max(0.0, left - cost), done + 1  # sums round
            pace = spent / (whole - left) if whole - left > 0 else 1.0
            progress.whole(done, total, share=1 - left / whole if whole else 1.0, left=left * pace)
    return answers


def _evidence(work: AskedSet, parts: Mapping[Question, AnswerParts], notices: Sequence[str]) -> Evidence:
    """The answers of one set; what hangs on all sets of the call comes later."""
    tests = {question: part.answer for question, part in parts.items()}
    drawn = AnswerParts(answer=next(iter(tests.values())))
    for part in parts.values():
        given = {one.name: getattr(part, one.name) for one in fields(part) if one.name != "answer"}
        drawn = replace(drawn, **{name: value for name, value in given.items() if value not in (None, ())})
    clean, target = work.preference, work.target
    result = EvidenceResult(
        task=work.pairs.task,
        phenomenon=work.pairs.phenomenon,
        data=MeasuredPairs(**vars(PairsUsed.of(work.pairs)), split=SplitSizes.of(work.split), tested=len(work.test)),
        method=target.metadata.get("method"),
        site=work.neurons.site,
        layers=work.layers,
        k=len(target.members),
        by=target.by,
        width=work.units.count,
        to=work.to,
        seed=work.seed,
        groups=work.n_groups,
        margin=clean.margin,
        margin_low=clean.low,
        margin_high=clean.high,
        tests=tests,
        family=0,
        neurons=target.listed(),
        notices=tuple(notices),
        verdict=verdict_of(tests),
        reading="",
        **{one.name: getattr(drawn, one.name) for one in fields(drawn) if one.name != "answer"},
    )
    return Evidence(**vars(result), neuron_set=target, digest=work.pairs.digest)


def _direction_alone(found: Found, direction: Direction, others: tuple[object, ...]) -> Chosen:
    expect(direction, Direction, "direction")
    if any(one is not None for one in others):
        raise InputError("direction= already says what is asked about; leave method=, topk=, layers=, neurons= out")
    return direction_of(found, direction)


def _as_family(found: Sequence[Evidence]) -> list[Evidence]:
    """The same with q: all questions that were asked are one declared family."""
    ps = [answer.p for one in found for answer in one.tests.values() if answer.p is not None]
    qs = iter(false_discovery(ps))
    made = []
    for one in found:
        tests: dict[Question, Answer] = {
            question: answer if answer.p is None else replace(answer, q=next(qs))
            for question, answer in one.tests.items()
        }
        made.append(replace(one, tests=tests, family=len(ps), reading=reading_of(tests)))
    return made


def _questions(only: Sequence[Question] | None) -> list[Question]:
    if only is None:
        return list(QUESTIONS)
    for question in only:
        if question not in QUESTIONS:
            close = did_you_mean(question, QUESTIONS)
            raise InputError(f"unknown question '{question}'{close}; one of {', '.join(QUESTIONS)}")
    if not only:
        raise InputError(f"name a question at least: {', '.join(QUESTIONS)}")
    return [question for question in QUESTIONS if question in only]
