"""One model of the gym, as two units: what each ranking makes of it, and the answers to all questions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from neurosteer.experiments.experiment import Work
from neurosteer.gym import GYM_TASKS, LAYER, Truth, neutral_text, plan_of, truth_of
from neurosteer.model import load_model
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.pairs import Pairs, load_pairs
from neurosteer.results import record
from neurosteer.results.evidence import Answer
from neurosteer.runner.units import Read, Unit, UnitResult
from neurosteer.studies import Found, find
from neurosteer.studies.evidence import Chosen, EvidenceSettings, ask
from neurosteer.vocabulary import QUESTIONS, Method

from .rankings import Variation, grade, variations
from .result import NAME, AskedQuestion, RankingGrade
from .sets import HAND, sets_of
from .settings import GymSettings

SOURCE = "builtin:gym"
OTHER_PAIRS = 30  # of each other task
RANKINGS, ANSWERS = "rankings", "answers"
SECONDS = {RANKINGS: 4.0, ANSWERS: 40.0}  # of a unit


def joint_units(work: Work) -> list[Unit]:
    """Two for each seed. A model is made anew in each: it is a few numbers."""
    [task] = work.tasks

    def rankings(_: Read, seed: int) -> UnitResult:
        return UnitResult({}, {"rows": [record(one) for one in graded(work, task.pairs, seed)]})

    def answers(_: Read, seed: int) -> UnitResult:
        return UnitResult({}, {"rows": [record(one) for one in answered(work, task.pairs, seed)]})

    return [
        Unit(unit_name(what, seed), f"{NAME}-{seed}", SECONDS[what], partial(compute, seed=seed), size=1 << 14)
        for seed in seeds_of(work)
        for what, compute in ((RANKINGS, rankings), (ANSWERS, answers))
    ]


def unit_name(what: str, seed: int) -> str:
    return f"{NAME}-{what}-{seed}"


def seeds_of(work: Work) -> range:
    """Of the models, and of all that is drawn for each."""
    return range(work.recipe.seed, work.recipe.seed + work.recipe.of(GymSettings).seeds)


def graded(work: Work, pairs: Pairs, seed: int) -> list[RankingGrade]:
    """What every ranking makes of the model of one seed."""
    plan = plan_of(seed)
    grades = []
    for one in variations(work.recipe.methods):
        ranking = _found(work, pairs, seed, one).ranking(one.method)
        scores, top = ranking.scores[0].double().numpy(), ranking.top(work.design.k)
        grades.append(grade(one.name, scores, top.units.tolist(), plan, seed))
    return grades


def answered(work: Work, pairs: Pairs, seed: int) -> list[AskedQuestion]:
    """All questions about the sets by hand, and about what each ranking method chooses."""
    plan, recipe = plan_of(seed), work.recipe
    found = _found(work, pairs, seed, *(Variation(method, method) for method in recipe.methods))
    rankings: Mapping[Method, Ranking] = {method: found.ranking(method) for method in recipe.methods}
    any_ranking = next(iter(rankings.values()))
    chosen: list[tuple[str, str, NeuronSet, Ranking | None]] = [
        (name, HAND, any_ranking.pick((LAYER, unit) for unit in units), None) for name, units in sets_of(plan).items()
    ]
    tops = [(method, ranking.top(work.design.k), ranking) for method, ranking in rankings.items()]
    chosen += [(method, method, top, ranking) for method, top, ranking in tops if len(top)]
    with TemporaryDirectory() as folder:
        neutral = Path(folder) / "neutral.txt"
        neutral.write_text(neutral_text(), encoding="utf-8")
        every = ask(
            load_model(f"{NAME}:{seed}", offline=True),
            found.pairs,
            found.split,
            [Chosen(neurons, ranking, (LAYER,)) for _, _, neurons, ranking in chosen],
            EvidenceSettings(controls=recipe.controls, nulls=recipe.nulls, curve_controls=0, seed=seed, offline=True),
            others=[
                load_pairs(name, source=SOURCE, limit=OTHER_PAIRS, seed=recipe.seed)
                for name in GYM_TASKS
                if name != pairs.task
            ],
            meaning=(),
            neutral=neutral,
            progress=work.progress,
        )
    return [
        _asked(seed, name, by, truth_of(plan, neurons.units.tolist()), evidence.tests[question])
        for (name, by, neurons, _), evidence in zip(chosen, every, strict=True)
        for question in QUESTIONS
    ]


def _found(work: Work, pairs: Pairs, seed: int, *asked: Variation) -> Found:
    """The search at the layer whose roles are known."""
    [steps] = {one.steps for one in asked}
    return find(
        load_model(f"{NAME}:{seed}", offline=True),
        pairs,
        methods=tuple(one.method for one in asked),
        topk=work.design.k,
        layers=LAYER,
        steps=steps,
        seed=seed,
        l0=work.design.l0,
        cache=False,
        progress=work.progress,
    )


def _asked(seed: int, name: str, by: str, truth: Truth, answer: Answer) -> AskedQuestion:
    expected = {"necessary": truth.lost, "sufficient": truth.kept, "interchangeable": truth.turned}
    return AskedQuestion(
        seed=seed,
        set=name,
        chosen_by=by,
        question=answer.question,
        truth=truth.answer(answer.question),
        holds=answer.holds,
        value=answer.value,
        low=answer.low,
        high=answer.high,
        p=answer.p,
        expected=expected.get(answer.question),
        why=answer.why,
    )
