"""What the gym says of what is promised: used units are found, and no question holds where it is not true."""

from __future__ import annotations

from scipy import stats

from neurosteer.experiments.experiment import Results
from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import number
from neurosteer.results import Verdict
from neurosteer.vocabulary import LEVEL, QUESTIONS

from .result import NAME, Gym
from .sets import HAND

FOUND = 0.95  # area of a ranking that finds what is used
SURE = 0.99  # of the binomial distribution: above it there are more false alarms than 5 %


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    result: Gym = results[NAME]
    return [_used(result), _decoys(result), _false(result), _true(result)]


def _used(result: Gym) -> Verdict:
    found = [row for row in result.rankings if row.used >= FOUND]
    return Verdict.counted(
        "gym 1",
        "Rankings find the units that are used.",
        f"area for used units (twins apart) at least {number(FOUND)}, mean over models",
        len(found),
        len(result.rankings),
        "rankings",
        "; ".join(f"{row.ranking} {number(row.used)} (twins {number(row.twins)})" for row in result.rankings) + ".",
    )


def _decoys(result: Gym) -> Verdict:
    rows = [row for row in result.sets if (row.set, row.question) == ("decoys", "necessary")]
    wrong = sum(row.holds for row in rows)
    return Verdict.counted(
        "gym 2",
        "No decoy is called necessary.",
        "necessary does not hold of the decoys of a model",
        sum(row.decided for row in rows) - wrong,
        sum(row.decided for row in rows),
        "models",
        "Decoys hold the contrast, and nothing reads them: without them nothing changes, to the bit.",
    )


def _false(result: Gym) -> Verdict:
    rows = [row for row in result.questions if not row.truth and row.decided]
    sound = [row for row in rows if row.holds <= stats.binom.ppf(SURE, row.decided, LEVEL)]
    return Verdict.counted(
        "gym 3",
        "Where it is not true, a question holds in 5 % of cases at most.",
        f"false alarms within the {number(SURE)} quantile of 5 %, for each question",
        len(sound),
        len(rows),
        "questions",
        "; ".join(f"{row.question} ({row.chosen_by}) {row.holds} of {row.decided}" for row in rows) + ".",
    )


def _true(result: Gym) -> Verdict:
    rows = [row for row in result.questions if row.truth and row.decided and row.chosen_by == HAND]
    most = [row for row in rows if (row.rate or 0) >= 0.8]
    undecided = [one for one in QUESTIONS if one not in {row.question for row in rows}]
    more = f" Not told of a set by hand: {', '.join(undecided)}." if undecided else ""
    return Verdict.counted(
        "gym 4",
        "Where it is true, a question holds in 80 % of cases.",
        "share of true sets by hand of which it holds",
        len(most),
        len(rows),
        "questions",
        "; ".join(f"{row.question} {row.holds} of {row.decided}" for row in rows) + "." + more,
    )
