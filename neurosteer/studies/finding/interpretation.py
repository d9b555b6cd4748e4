"""What a `find` says, in two or three sentences that do not claim more than it shows."""

from __future__ import annotations

from neurosteer.pairs import Baselines
from neurosteer.report.baselines import NAMES, named
from neurosteer.results import FindResult, Interval
from neurosteer.vocabulary import counted

TELLING = 0.6  # a baseline up to this explains next to nothing


def interpret(found: FindResult) -> str:
    """The best layer beside its random sets, its baselines and, where there are any, words never seen."""
    first = found.methods[0]
    if found.neurons.get(first) == ():
        return f"By {first} no {found.by} scores above 0 at layer {found.best_layer}: none is chosen."
    return " ".join(filter(None, (_localised(found), _lexical(found), _new_words(found))))


def _localised(found: FindResult) -> str:
    best, k, share = found.best, found.topk, 100 * found.topk / found.width
    reach = "reaches" if k == 1 else "reach"
    head = f"At layer {best.layer} the top {counted(k, found.noun)} ({share:.2g} %) {reach} {_short(best.topk)}"
    head += f" ({_interval(best.intervals.topk)})"
    if best.random.mean is None or best.random.high is None:
        return f"{head}."
    head += f", {counted(k, 'random one')} {_short(best.random.mean)}"
    if best.topk <= best.random.high:
        return f"{head}: no more than random ones at this layer."
    return f"{head}; {_worth(found)}."


def _worth(found: FindResult) -> str:
    """How many random ones reach as much, as far as the test pairs can tell."""
    times, (low, high) = found.random_equivalent, found.random_equivalent_interval or (None, None)
    if low is None:
        return "no number of random ones that was tried reaches as much"
    if high is None and low <= 1:
        return "the test pairs are too few to tell how many random ones reach as much"
    if times is None or high is None:
        ends = "95 % interval, without an upper end"
        return f"at least {low:.2g} times as many random ones are needed to reach as much ({ends})"
    doubt = ", so perhaps no more than random ones" if low <= 1 else ""
    ends = f"95 % interval {low:.2g} to {high:.2g}{doubt}"
    return f"about {times:.2g} times as many random ones reach as much ({ends})"


def _lexical(found: FindResult) -> str:
    """What words alone reach, beside the dense probe and beside the top k, which the headline is about."""
    best, (label, value) = found.best, _strongest(found.baselines)
    sentence = f"Without a model the {label} baseline reaches {_short(value)}"
    lexical, doubt = value > TELLING, "as far as these test pairs can tell"
    if value >= best.intervals.dense[0]:
        return f"{sentence}{', so all of this may be lexical' if lexical else f': no more is read here, {doubt}'}."
    if value >= best.intervals.topk[0]:
        so = "so all that they hold may be lexical" if lexical else doubt
        beside = f"the dense probe reaches {_short(best.dense)}"
        return f"{sentence}: the top {found.topk} read no more than that, {so} ({beside})."
    if lexical:
        return f"{sentence}, so part of this may be lexical."
    return f"Without a model the best baseline ({label}) reaches {_short(value)}."


def _new_words(found: FindResult) -> str:
    new, ends, baselines = found.best.new_words, found.best.intervals.new_words_topk, found.baselines_new_words
    if new is None or ends is None or baselines is None:
        return ""
    label, value = _strongest(baselines)
    strongest = f"the best baseline ({label}) {_short(value)}" + (", not clearly less" if value >= ends[0] else "")
    return (
        f"Where the contrasting words of test are new to training, the top {found.topk} reach {_short(new.topk)} "
        f"({_interval(ends)}; dense {_short(new.dense)}), {strongest}."
    )


def _interval(ends: Interval) -> str:
    return f"95 % interval {_short(ends[0])} to {_short(ends[1])}"


def _strongest(baselines: Baselines) -> tuple[str, float]:
    """The strongest baseline of words or tokens, as it is called in a sentence; of equal ones the first.

    Majority is none: it looks at nothing.
    """
    values = named(baselines)
    known = {name.replace(" ", "-"): value for name in NAMES[1:] if (value := values[name]) is not None}
    return max(known.items(), key=lambda one: one[1])


def _short(accuracy: float) -> str:
    text = f"{accuracy:.2f}"
    return text[1:] if text.startswith("0") else text
