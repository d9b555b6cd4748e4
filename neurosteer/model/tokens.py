"""Token ids: `BOS + sentence + EOS`, built by hand: tokenizers add and strip special tokens as they please."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError

if TYPE_CHECKING:
    from .model import Model

POSITIONS = ("eos", "last")


@dataclass(frozen=True)
class Special:
    """A special token."""

    id: int
    text: str


def choose_specials(tokenizer: Any, bos: str | None, eos: str | None) -> tuple[Special | None, Special]:
    """BOS and EOS: the named tokens, else the tokenizer's own; never guessed from its padding id.

    A tokenizer without BOS uses EOS as the first token, as language-model scoring does; `bos="none"` puts nothing
    there. Raises `InputError` for a token the vocabulary lacks, and where there is no EOS.
    """
    if eos is None and tokenizer.eos_token_id is None:
        raise InputError("this tokenizer has no EOS token; name one with --eos TOKEN")
    end = Special(tokenizer.eos_token_id, tokenizer.eos_token) if eos is None else _named(tokenizer, eos, "--eos")
    if bos == "none":
        return None, end
    if bos is not None:
        return _named(tokenizer, bos, "--bos"), end
    if tokenizer.bos_token_id is None:
        return end, end
    return Special(tokenizer.bos_token_id, tokenizer.bos_token), end


def encode(model: Model, sentences: Sequence[str], *, position: str = "eos") -> list[tuple[int, ...]]:
    """Token ids of sentences. The last id of each is the one whose state is read: EOS, or the sentence's last token.

    Raises `InputError` for a sentence that is longer than the model's context or has no tokens.
    """
    if position not in POSITIONS:
        raise InputError(f"unknown position '{position}'; one of {', '.join(POSITIONS)}")
    head = (model.bos.id,) if model.bos else ()
    tail = (model.eos.id,) if position == "eos" else ()
    ids = model.tokenizer(list(sentences), add_special_tokens=False)["input_ids"] if sentences else []
    encoded = [(*head, *middle, *tail) for middle in ids]
    for sentence, middle, whole in zip(sentences, ids, encoded, strict=True):
        if not middle:
            raise InputError(f"the tokenizer of {model.name} makes no tokens of {_short(sentence)}")
        if len(whole) > model.context:
            raise InputError(
                f"a sentence of {len(whole)} tokens exceeds the {model.context} of {model.name}: {_short(sentence)}"
            )
    return encoded


def _named(tokenizer: Any, token: str, option: str) -> Special:
    known = tokenizer.get_vocab()
    if token not in known:
        raise InputError(
            f"{option} '{token}' is not in the tokenizer's vocabulary; name one token as it is spelt there"
        )
    return Special(known[token], token)


def _short(sentence: str) -> str:
    return repr(sentence if len(sentence) <= 40 else f"{sentence[:37]}...")
