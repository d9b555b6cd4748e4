"""Whether words can be told by spaces, from the text alone."""

from __future__ import annotations

import pytest

from neurosteer.pairs import LexicalSplitError, Pair, Pairs
from neurosteer.pairs.scripts import is_unspaced, parts_words
from neurosteer.pairs.words import words

SPACED = {
    "english": "The cats sleep.",
    "french": "Où êtes-vous né ?",
    "russian": "Кошка спит на диване.",
    "arabic": "القطة تنام على الأريكة.",
    "hindi": "लड़का किताब पढ़ता है।",
    "korean": "고양이가 소파에서 잔다.",
    "korean with Han": "大韓은 민주공화국이다. 그리고 우리는 모두 함께 살아가는 사람들이다.",
    "english with a name": "Yesterday the teacher 王 met all of her students.",
    "no letters": "1, 2, 3!",
    "nothing": "",
}
UNSPACED = {
    "japanese": "猫がソファーで寝ている。",
    "kana": "ねこがねている。",
    "halfwidth": "ﾈｺｶﾞﾈﾃｲﾙ",
    "japanese with latin": "IBMはMicrosoftを買った。",
    "chinese": "猫在沙发上睡觉。",
    "a rare character": "𠮷野家",
    "thai": "แมวนอนบนโซฟา",
    "lao": "ແມວນອນຢູ່ໂຊຟາ",
    "khmer": "ឆ្មាដេកលើសាឡុង",
    "burmese": "ကြောင်သည်ဆိုဖာပေါ်တွင်အိပ်သည်။",
    "tibetan": "ཞི་མི་ཉལ་བཞིན་འདུག",
}


@pytest.mark.parametrize("sentence", SPACED.values(), ids=SPACED)
def test_spaced(sentence: str):
    assert not is_unspaced(sentence)


@pytest.mark.parametrize("sentence", UNSPACED.values(), ids=UNSPACED)
def test_unspaced(sentence: str):
    assert is_unspaced(sentence)


@pytest.mark.parametrize(("unspaced", "parted"), [(0, True), (5, True), (6, False), (100, False)])
def test_a_mixed_file_has_words_where_one_sentence_in_twenty_has_none(unspaced: int, parted: bool):
    sentences = [UNSPACED["thai"]] * unspaced + [SPACED["korean"]] * (100 - unspaced)
    assert parts_words(sentences) is parted


@pytest.mark.parametrize("name", ["hindi", "russian", "korean", "french", "arabic"])
def test_words_keep_their_signs(name: str):
    """What stands between spaces, without punctuation: vowel signs that are characters of their own included."""
    plain = SPACED[name].translate(str.maketrans({"-": " ", "?": " ", ".": " ", "।": " "}))
    assert words(SPACED[name]) == plain.lower().split()
    assert words("लड़का") != words("लड़के")


def test_unspaced_text_has_no_lexical_split():
    """Every sentence would be a word of its own, and all of them new."""
    rows = [(f"猫{chr(0x4E00 + i)}が寝る。", f"猫{chr(0x4E00 + i)}を寝る。") for i in range(400)]
    pairs = Pairs("neko", "made up", tuple(Pair(*row, str(i)) for i, row in enumerate(rows)))
    with pytest.raises(
        LexicalSplitError, match=r"^'neko' allows no lexical split: its script does not part words by"
    ):
        pairs.split("lexical")
    assert len(pairs.split("pair").test) == 80
