"""Made-up minimal pairs that the tiny models of `tiny_models` can read."""

from __future__ import annotations

from itertools import product

from neurosteer.pairs import Pair, Pairs


def made_pairs(*, verbs: int = 4, subjects: int = 5, nouns: int = 4, task: str = "made") -> Pairs:
    """`subject can verb [noun]`: the good verb needs no noun. As many pairs as combinations; w0 to w9 are subjects,
    w10 to w19 nouns, w20 to w39 good verbs and w40 to w59 bad ones. With few verbs no lexical split exists."""
    rows = product(range(subjects), range(nouns), range(verbs))
    return Pairs(
        task,
        "made up",
        tuple(
            Pair(f"w{s} w60 w{20 + v} w{10 + n}", f"w{s} w60 w{40 + v} w{10 + n}", str(i))
            for i, (s, n, v) in enumerate(rows)
        ),
    )
