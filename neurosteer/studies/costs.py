"""What passes cost on two CPU cores, in seconds: for what is said before they are made."""

from __future__ import annotations

from neurosteer.pairs import Pairs

TOKEN = 1 / 1000  # one token through the built-in model and its logits
BLOCKS = 30 * 576**2  # layers times the square of the width, of that model
UNDER_EDIT = 1.4  # the blocks above the middle and the logits of all that is predicted, beside a pass for states


def count_prefixes(pairs: Pairs) -> int:
    """About how many tokens a pass over the pairs computes: a prefix that sentences share is computed once."""
    words = [sentence.split() for both in pairs.sentences for sentence in both]
    return len({tuple(sentence[:end]) for sentence in words for end in range(1, len(sentence) + 1)})


def edited_seconds(pairs: Pairs, edits: int, *, n_layers: int, d_model: int) -> float:
    """Scores of these pairs under so many edits at a middle layer."""
    return UNDER_EDIT * TOKEN * count_prefixes(pairs) * (1 + edits) * n_layers * d_model**2 / BLOCKS
