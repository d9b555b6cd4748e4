"""Scripts that do not part words by spaces: there a run of letters is no word, and no word baseline means anything.

The text itself decides, not the name of a language. Korean parts words by spaces; Chinese, Japanese, Thai, Lao,
Khmer, Burmese and Tibetan do not. Text of such a script that somebody has cut into words cannot be told from the
rest and counts as unspaced too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Tibetan, Myanmar
    "\u1780-\u17ff\u19e0-\u19ff"  # Khmer
    "\u1950-\u19df\u1a20-\u1aaf\uaa80-\uaadf"  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    "\u1b00-\u1b7f\ua980-\ua9df"  # Balinese, Javanese
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f"  # Hiragana, Katakana
    "\u3100-\u312f\u31a0-\u31bf\ua000-\ua4cf"  # Bopomofo, Yi
    "]"
)
OF_LETTERS = 0.25  # a sentence with as large a share of such letters is unspaced: names and quotations are fewer
OF_SENTENCES = 0.05  # a larger share of such sentences could hide more than .025 of a word baseline's accuracy


def is_unspaced(sentence: str) -> bool:
    """Whether a sentence is written in a script without spaces: at least a quarter of its letters are of one."""
    letters = [character for character in sentence if character.isalpha()]
    return bool(letters) and len(_UNSPACED.findall("".join(letters))) >= OF_LETTERS * len(letters)


def parts_words(sentences: Iterable[str]) -> bool:
    """Whether words can be told by spaces: at most one sentence in twenty is unspaced."""
    unspaced = [not sentence.isascii() and is_unspaced(sentence) for sentence in sentences]
    return sum(unspaced) <= OF_SENTENCES * len(unspaced)
