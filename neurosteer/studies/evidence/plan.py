"""What the questions will cost, before the first is asked: forward passes, timed on a few pairs of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from neurosteer.progress import QUIET
from neurosteer.vocabulary import REGIONS, Question

from .answer_cache import is_kept
from .factorial import USED
from .interchange_map import MOST_ITEMS
from .numbers import GRID
from .passes import Passes
from .selective import RESPLITS
from .work import AskedSet

TRIED, TIMED = 16, 3  # pairs and edits that are timed
UNEDITED = 1.5  # a pass over all blocks, beside one above an edit
BACKWARD = 5.0  # attribution by pair, beside a pass above an edit
PAIRS_OF_TEXT = 60  # neutral text, with its divergences, is about as many pairs
OTHER_TASKS = 18
PROBE = 0.1  # seconds of one probe
REFITTED = {"l0": 3.0, "l1": 1.0}  # seconds of one search by a probe at one layer; the others take next to none
STEP = 5.0  # of a causal mask, on one pair, beside a pass above an edit


def seconds_of(works: Sequence[AskedSet], questions: Sequence[Question]) -> list[list[float]]:
    """What each question of each set will take, `[set][question]`; 0 for an answer that is there already."""
    pace = _pace(works[0]) if works else 0.0
    return [
        [0.0 if is_kept(work, question) else _COST[question](work, pace) for question in questions] for work in works
    ]


def _pace(work: AskedSet) -> float:
    """Seconds of one pair under one edit, above its layer."""
    some = work.test.limit(TRIED)
    passes = Passes(work.model, QUIET)
    whole = work.ablation(work.target)
    first, *others = [whole.scaled(i / (2 + TIMED)) for i in range(1, 2 + TIMED)]
    passes.edited(some, [first])  # what is done once is not timed
    began = perf_counter()
    passes.edited(some, others)
    return (perf_counter() - began) / ((UNEDITED + TIMED) * len(some))


def _encoded(work: AskedSet, pace: float) -> float:
    attribution = BACKWARD * len(work.split.train) * pace * (work.method == "attribution")
    return attribution + _refitted(work) + _path(work, pace) + PROBE * (1 + work.controls)


def _necessary(work: AskedSet, pace: float) -> float:
    return pace * len(work.test) * (1 + work.controls)


def _sufficient(work: AskedSet, pace: float) -> float:
    lines = len(GRID) * (2 + work.curve_controls) if work.ranking is not None else 0
    return pace * len(work.test) * (2 * (2 + work.controls) + lines)


def _interchangeable(work: AskedSet, pace: float) -> float:
    swaps = 2 * (1 + work.controls) + 4
    cells = 2 * len(REGIONS) * work.model.n_layers * work.map
    return pace * (USED * swaps + MOST_ITEMS * cells)


def _selective(work: AskedSet, pace: float) -> float:
    if not work.searched:
        return 0.0
    known = len(work.split.train) + len(work.split.validation)
    attribution = BACKWARD * known * pace * (work.method == "attribution")
    again = (_refitted(work) + _path(work, pace)) * (work.nulls + RESPLITS)
    return attribution + again + pace * len(work.test) * work.nulls


def _refitted(work: AskedSet) -> float:
    """One search by a probe that has to be fitted."""
    return REFITTED.get(work.method or "", 0.0) * len(work.layers)


def _path(work: AskedSet, pace: float) -> float:
    """One path of a causal mask; neutral text, with its divergences, is about as much again."""
    if work.method != "causal-l0" or work.ranking is None:
        return 0.0
    known = work.ranking.metadata["mask"]
    return pace * STEP * 2 * float(known["steps"] * known["batch"])


def _isolated(work: AskedSet, pace: float) -> float:
    tasks = OTHER_TASKS if work.others is None else len(work.others) + len(work.meaning or ())
    once = tasks * work.other_pairs + PAIRS_OF_TEXT
    again = (6 * PAIRS_OF_TEXT + once + len(work.test)) * (work.kl is not None or work.auto_kl)
    return pace * (once + again) * (1 + work.controls)


_COST: dict[Question, Callable[[AskedSet, float], float]] = {
    "encoded": _encoded,
    "necessary": _necessary,
    "sufficient": _sufficient,
    "interchangeable": _interchangeable,
    "selective": _selective,
    "isolated": _isolated,
}
