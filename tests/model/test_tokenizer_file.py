"""Tokenizers that transformers rebuilds by their model's type: the ids are those of the folder's own file.

So they are for the folder, for a Hugging Face model that was loaded from it, and for a bridge.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
import transformers
from plain_edits import hf_logprobs
from sizes import all_slow_but, quick_and_slow
from tiny_models import GROUPED, hf_network, random_pairs, save_random
from tokenizers import decoders, models, normalizers, pre_tokenizers
from transformer_lens.model_bridge import TransformerBridge

from neurosteer.edits import Edit
from neurosteer.forward import score
from neurosteer.model import Model, load_model
from neurosteer.model.tokens import sentence_tokens
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pair, Pairs
from neurosteer.progress import Progress
from neurosteer.studies.export import export_edit

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


def as_it_is(_tokenizer: tokenizers.Tokenizer) -> None:
    """Nothing is changed."""


def save(
    folder: Path, change: Callable[[tokenizers.Tokenizer], None] = as_it_is, config: Any = transformers.Qwen2Config
) -> Path:
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
    save_random(config(**{**GROUPED, **sizes}), folder)
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


# --- loaded by the caller ----------------------------------------------------------------------------------------

TOLD = "the ids are those of the file"
WAYS = ("network", "their bridge", "our bridge", "from a relative folder")


def begins_with_a_space(folder: Path) -> None:
    """GPT-2's class takes this from the config, and the file says that it does not."""
    rewrite(folder / "tokenizer_config.json", tokenizer_class="GPT2Tokenizer", add_prefix_space=True, unk_token="<s>")


def one_more_word(folder: Path) -> None:
    """Named in the config alone, for an id that the file has under another name."""
    words = {"5": {"content": "cat", "special": False, "normalized": False}}
    rewrite(folder / "tokenizer_config.json", added_tokens_decoder=words)


def save_llama(folder: Path, change: Callable[[Path], None]) -> Path:
    """A model whose type says nothing of the tokenizer's class."""
    save(folder, config=transformers.LlamaConfig)
    change(folder)
    return folder


def rewrite(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | changes), "utf-8")


def given(way: str, folder: Path, notices: Notices, monkeypatch: pytest.MonkeyPatch) -> Model:
    """The model in another way than by its folder."""
    if way == "our bridge":
        return load_model(load_model(folder).bridge, progress=notices)
    if way == "their bridge":
        return load_model(TransformerBridge.boot_transformers(str(folder), device="cpu"), progress=notices)
    if way == "from a relative folder":
        monkeypatch.chdir(folder.parent)
        folder = Path(folder.name)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return load_model(hf_network(folder), tokenizer=tokenizer, progress=notices)


@pytest.mark.parametrize("way", all_slow_but(["network"], WAYS))
@pytest.mark.parametrize("change", quick_and_slow([begins_with_a_space, one_more_word], [lower_case, digit_by_digit]))
def test_a_tokenizer_that_the_caller_loaded_reads_as_its_file(
    change: Callable[..., None], way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """R23: the same weights, the same numbers, those of a plain loop over the file's ids."""
    of_file = change in (lower_case, digit_by_digit)
    notices = Notices()
    folder = save(tmp_path / "model", change) if of_file else save_llama(tmp_path / "model", change)
    own, network = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), hf_network(folder)
    sentences = [sentence for pair in PAIRS for sentence in (pair.good, pair.bad)]
    ids = [own.encode(sentence, add_special_tokens=False).ids for sentence in sentences]
    theirs = transformers.AutoTokenizer.from_pretrained(folder)(sentences, add_special_tokens=False)["input_ids"]
    assert theirs != ids  # else there is nothing to test
    begin = own.token_to_id("<s>")
    expected = torch.stack([hf_logprobs(network, [begin, *row]).sum() for row in ids]).view(-1, 2)
    model = given(way, folder, notices, monkeypatch)
    by_folder = load_model(folder)
    found = score(model, PAIRS)
    torch.testing.assert_close(found.logprob.double(), expected, rtol=0, atol=1e-4)
    assert torch.equal(found.logprob, score(by_folder, PAIRS).logprob)
    assert model.fingerprint == by_folder.fingerprint
    assert len([said for said in notices.said if TOLD in said]) == (way != "our bridge")


def test_a_tokenizer_that_was_changed_on_purpose_stays_as_it_is(tmp_path: Path):
    """What its folder says is not what the caller wants."""
    folder = save(tmp_path / "qwen2", lower_case)
    changed = transformers.AutoTokenizer.from_pretrained(folder)
    changed.backend_tokenizer.normalizer = normalizers.Replace("cat", "dog")
    expected = changed(SENTENCES, add_special_tokens=False)["input_ids"]
    network = hf_network(folder)
    network.resize_token_embeddings(len(changed))
    model = load_model(network, tokenizer=changed)
    assert [list(ids) for ids in sentence_tokens(model, SENTENCES)] == expected


def test_words_that_were_added_stay(tmp_path: Path):
    folder = save_llama(tmp_path / "model", begins_with_a_space)
    tokenizer, network = transformers.AutoTokenizer.from_pretrained(folder), hf_network(folder)
    own = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    for some in (tokenizer, own):
        some.add_tokens([tokenizers.AddedToken("sleeps", normalized=False)])
    network.resize_token_embeddings(len(tokenizer))
    model = load_model(network, tokenizer=tokenizer)
    expected = [own.encode(sentence, add_special_tokens=False).ids for sentence in SENTENCES]
    assert len(tokenizer) - 1 in expected[0]
    assert tokenizer(SENTENCES, add_special_tokens=False)["input_ids"] != expected
    assert [list(ids) for ids in sentence_tokens(model, SENTENCES)] == expected


def test_an_exported_model_reads_as_its_source(tmp_path: Path):
    folder = save(tmp_path / "qwen2", lower_case)
    model = load_model(folder)
    edit = Edit.ablate(NeuronSet.of(model, [(1, 2)], site="mlp_post"), where="every")
    export_edit(model, edit, tmp_path / "edited")
    written = load_model(tmp_path / "edited")
    assert sentence_tokens(written, SENTENCES) == sentence_tokens(model, SENTENCES)


# --- the same ids each time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["folder", "network"])
def test_dropout_of_merges_is_switched_off(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With it a sentence has other ids each time that it is read."""
    notices, sentences = Notices(), SENTENCES * 20
    plain = save(tmp_path / "plain")
    own = tokenizers.Tokenizer.from_file(str(plain / "tokenizer.json"))
    expected = [own.encode(sentence, add_special_tokens=False).ids for sentence in sentences]
    folder = save(tmp_path / "drawn", config=transformers.LlamaConfig)
    about = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    rewrite(folder / "tokenizer.json", model=about["model"] | {"dropout": 0.5})
    model = load_model(folder, progress=notices) if way == "folder" else given(way, folder, notices, monkeypatch)
    assert [list(ids) for ids in sentence_tokens(model, sentences)] == expected
    [said] = [said for said in notices.said if "switched off" in said]
    assert said == (
        f"{folder}: its tokenizer has a dropout of 0.5, with which it reads the same text in other ways each time; "
        "it is switched off"
    )
