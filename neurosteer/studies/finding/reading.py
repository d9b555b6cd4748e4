"""What a `find` says, in two or three sentences that do not claim more than it shows."""

from __future__ import annotations

from typing import Any

_LEXICAL = ("length", "last_word", "unigram", "stem", "bigram")
_TOKENS = ("count", "unigram", "bigram")
TELLING = 0.6  # a baseline up to this explains next to nothing


def reading(entry: dict[str, Any]) -> str:
    """The best layer beside its random sets, its baselines and, where there are any, words never seen."""
    row = next(row for row in entry["layers"] if row["layer"] == entry["best_layer"])
    return " ".join(filter(None, (_localised(entry, row), _lexical(entry, row), _new_words(entry, row))))


def _localised(entry: dict[str, Any], row: dict[str, Any]) -> str:
    k, share = entry["k"], 100 * entry["k"] / entry["width"]
    head = f"At layer {row['layer']} the top {k} neurons ({share:.2g} %) reach {_short(row['topk'])}"
    head += f" ({_interval(row, 'topk')})"
    if row["random"]["mean"] is None:
        return f"{head}."
    head += f", {k} random ones {_short(row['random']['mean'])}"
    if row["topk"] <= row["random"]["high"]:
        return f"{head}: no more than random ones at this layer."
    return f"{head}; {_worth(entry)}."


def _worth(entry: dict[str, Any]) -> str:
    """How many random ones reach as much, as far as the test pairs can tell."""
    times, (low, high) = entry["random_equivalent"], entry["random_equivalent_interval"]
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


def _lexical(entry: dict[str, Any], row: dict[str, Any]) -> str:
    """What words alone reach, beside the dense probe and beside the top k, which the headline is about."""
    label, value = _best(entry["baselines"])
    said = f"Without a model the {label} baseline reaches {_short(value)}"
    lexical, told = value > TELLING, "as far as these test pairs can tell"
    if value >= row["intervals"]["dense"][0]:
        return f"{said}, so all of this may be lexical." if lexical else f"{said}: no more is read here, {told}."
    if value >= row["intervals"]["topk"][0]:
        so = "so all that they hold may be lexical" if lexical else told
        beside = f"the dense probe reaches {_short(row['dense'])}"
        return f"{said}: the top {entry['k']} read no more than that, {so} ({beside})."
    if lexical:
        return f"{said}, so part of this may be lexical."
    return f"Without a model the best baseline ({label}) reaches {_short(value)}."


def _new_words(entry: dict[str, Any], row: dict[str, Any]) -> str:
    if row["new_words"] is None:
        return ""
    label, value = _best(entry["baselines_new_words"])
    dense, top = row["new_words"]["dense"], row["new_words"]["topk"]
    low = row["intervals"]["new_words_topk"][0]
    best = f"the best baseline ({label}) {_short(value)}" + (", no less than they do" if value >= low else "")
    return (
        f"Where the contrasting words of test are new to training, the top {entry['k']} reach {_short(top)} "
        f"({_interval(row, 'new_words_topk')}; dense {_short(dense)}), {best}."
    )


def _interval(row: dict[str, Any], name: str) -> str:
    low, high = row["intervals"][name]
    return f"95 % interval {_short(low)} to {_short(high)}"


def _best(baselines: dict[str, Any]) -> tuple[str, float]:
    """The strongest baseline of words or tokens, as it is called in a sentence; of equal ones the first."""
    known = {name.replace("_", "-"): baselines[name] for name in _LEXICAL if baselines[name] is not None}
    known |= {f"token-{name}": baselines["tokens"][name] for name in _TOKENS}
    return max(known.items(), key=lambda one: one[1])


def _short(accuracy: float) -> str:
    text = f"{accuracy:.2f}"
    return text[1:] if text.startswith("0") else text
