"""Tokenizers that transformers rebuilds by their model's type: the ids are those of the folder's own file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tokenizers
import transformers
from tiny_models import GROUPED, random_pairs, save_random
from tokenizers import decoders, models, normalizers, pre_tokenizers

from neurosteer.forward import score
from neurosteer.model import load_model
from neurosteer.model.tokens import sentence_tokens
from neurosteer.pairs import Pair, Pairs
from neurosteer.progress import Progress

SENTENCES = ["The cat sleeps .", "A dog barked at 2024 cats ."]
PAIRS = Pairs(
    "toy", "made", tuple(Pair(sentence, f"{sentence} No .", str(i)) for i, sentence in enumerate(SENTENCES))
)


class Notices(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)


def lower_case(tokenizer: tokenizers.Tokenizer) -> None:
    """Qwen2's class normalises to NFC alone."""
    tokenizer.normalizer = normalizers.Lowercase()


def digit_by_digit(tokenizer: tokenizers.Tokenizer) -> None:
    parts = [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(parts)


def save(folder: Path, change: Callable[[tokenizers.Tokenizer], None]) -> Path:
    """A tiny model whose file reads bytes, with a word or a number here and there as one token."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("t", "h"), ("th", "e"), ("2", "0"), ("20", "2"), ("202", "4")]
    words = [*letters, *("".join(merge) for merge in merges), "<s>", "</s>"]
    ids = {word: i for i, word in enumerate(words)}
    tokenizer = tokenizers.Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    change(tokenizer)
    sizes = {"vocab_size": len(words), "bos_token_id": ids["<s>"], "eos_token_id": ids["</s>"]}
    save_random(transformers.Qwen2Config(**{**GROUPED, **sizes}), folder)
    special = {"bos_token": "<s>", "eos_token": "</s>"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    about = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    (folder / "tokenizer_config.json").write_text(json.dumps(about | {"tokenizer_class": "PreTrainedTokenizerFast"}))
    return folder


@pytest.mark.parametrize("change", [lower_case, digit_by_digit])
def test_the_ids_are_those_of_the_file(change: Callable[[tokenizers.Tokenizer], None], tmp_path: Path):
    folder, notices = save(tmp_path / "qwen2", change), Notices()
    own = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    expected = [own.encode(sentence, add_special_tokens=False).ids for sentence in SENTENCES]
    assert theirs(SENTENCES, add_special_tokens=False)["input_ids"] != expected  # else there is nothing to test
    model = load_model(folder, progress=notices)
    assert [list(ids) for ids in sentence_tokens(model, SENTENCES)] == expected
    assert len([said for said in notices.said if "the ids are those of the file" in said]) == 1
    score(model, PAIRS)  # nothing more is said
    assert len([said for said in notices.said if "tokenizer.json" in said]) == 1


def test_where_both_read_the_same_nothing_is_said(tiny_folder: Callable[[str], Path]):
    notices = Notices()
    score(load_model(tiny_folder("llama"), progress=notices), random_pairs(3))
    assert [said for said in notices.said if "tokenizer.json" in said] == []
