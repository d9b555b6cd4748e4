"""What a `find` says, in two or three sentences that do not claim more than it shows."""

from __future__ import annotations

from typing import Any

_LEXICAL = ("length", "last_word", "unigram", "stem", "bigram")
_TOKENS = ("count", "unigram", "bigram")


def reading(entry: dict[str, Any]) -> str:
    """The best layer beside its random sets, its baselines and, where there are any, words never seen."""
    row = next(row for row in entry["layers"] if row["layer"] == entry["best_layer"])
    return " ".join(filter(None, (_localised(entry, row), _lexical(entry, row), _new_words(entry, row))))


def _localised(entry: dict[str, Any], row: dict[str, Any]) -> str:
    k, share = entry["k"], 100 * entry["k"] / entry["width"]
    head = f"At layer {row['layer']} the top {k} neurons ({share:.2g} %) reach {_short(row['topk'])}"
    if row["random"]["mean"] is None:
        return f"{head}."
    head += f", {k} random ones {_short(row['random']['mean'])}"
    times = entry["random_equivalent"]
    if times is None:
        return f"{head}; no number of random ones that was tried reaches as much."
    if times <= 1:
        return f"{head}: no more than random ones at this layer."
    return f"{head}; about {times:.2g} times as many random ones reach as much."


def _lexical(entry: dict[str, Any], row: dict[str, Any]) -> str:
    label, value = _best(entry["baselines"])
    if value >= row["dense"]:
        return f"Without a model the {label} baseline reaches {_short(value)}, so all of this may be lexical."
    if value > 0.6:
        return f"Without a model the {label} baseline reaches {_short(value)}, so part of this may be lexical."
    return f"Without a model the best baseline ({label}) reaches {_short(value)}."


def _new_words(entry: dict[str, Any], row: dict[str, Any]) -> str:
    if row["new_words"] is None:
        return ""
    label, value = _best(entry["baselines_new_words"])
    dense, top = row["new_words"]["dense"], row["new_words"]["topk"]
    return (
        f"Where the contrasting words of test are new to training, the top {entry['k']} reach {_short(top)} "
        f"(dense {_short(dense)}), the best baseline ({label}) {_short(value)}."
    )


def _best(baselines: dict[str, Any]) -> tuple[str, float]:
    """The strongest baseline of words or tokens, as it is called in a sentence; of equal ones the first."""
    known = {name.replace("_", "-"): baselines[name] for name in _LEXICAL if baselines[name] is not None}
    known |= {f"token-{name}": baselines["tokens"][name] for name in _TOKENS}
    return max(known.items(), key=lambda one: one[1])


def _short(accuracy: float) -> str:
    text = f"{accuracy:.2f}"
    return text[1:] if text.startswith("0") else text
