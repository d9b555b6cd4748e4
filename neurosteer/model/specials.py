"""BOS and EOS: the tokens before and after a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError


@dataclass(frozen=True)
class Special:
    """A special token."""

    id: int
    text: str


def choose_specials(tokenizer: Any, bos: str | None, eos: str | None) -> tuple[Special | None, Special]:
    """BOS and EOS: the named tokens, or else the tokenizer's own.

    Without a BOS, EOS is the first token, as usual in language-model scoring; with `bos="none"` there is none. Raises
    `InputError` for a token that is not in the vocabulary, and for a tokenizer without EOS.
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


def _named(tokenizer: Any, token: str, option: str) -> Special:
    known = tokenizer.get_vocab()
    if token not in known:
        raise InputError(
            f"{option} '{token}' is not in the tokenizer's vocabulary; name one token as it is spelt there"
        )
    return Special(known[token], token)
