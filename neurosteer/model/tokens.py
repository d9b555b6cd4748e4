"""Token ids `BOS + sentence + EOS`, put together here, because tokenizers differ in which special tokens they add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neurosteer.errors import InputError
from neurosteer.vocabulary import POSITIONS, Position

from .model import Model
from .tokenizer_file import notice_difference


def encode(
    model: Model, sentences: Sequence[str], *, position: Position = "eos", as_is: bool = False, fits: bool = True
) -> list[tuple[int, ...]]:
    """Token ids of sentences. The last id is the one whose state is captured: EOS, or the sentence's last token.

    With `as_is` the tokenizer decides which special tokens stand before the sentence. Raises `InputError` for a
    sentence without tokens, and for one that is longer than the model's context unless `fits` is false.
    """
    if position not in POSITIONS:
        raise InputError(f"unknown position '{position}'; one of {', '.join(POSITIONS)}")
    head = (model.bos.id,) if model.bos and not as_is else ()
    tail = (model.eos.id,) if position == "eos" else ()
    # Masks and types are not needed and would take a third of the time.
    how = {"add_special_tokens": as_is, "return_attention_mask": False, "return_token_type_ids": False}
    ids = model.tokenizer(list(sentences), **how)["input_ids"] if sentences else []
    notice_difference(model.tokenizer, sentences, ids, **how)
    if as_is:
        ids = [middle[: -1 if middle[-1:] == [model.tokenizer.eos_token_id] else None] for middle in ids]
    encoded = [(*head, *middle, *tail) for middle in ids]
    for sentence, middle, whole in zip(sentences, ids, encoded, strict=True):
        if not middle:
            raise InputError(f"the tokenizer of {model.name} makes no tokens of {_short(sentence)}")
        if fits and len(whole) > model.context:
            raise InputError(
                f"a sentence of {len(whole)} tokens exceeds the {model.context} of {model.name}; shorten it or "
                f"leave it out: {_short(sentence)}"
            )
    return encoded


def sentence_tokens(model: Model, sentences: Sequence[str]) -> list[tuple[int, ...]]:
    """The sentences' own token ids, without BOS and EOS. Raises `InputError` as `encode` does."""
    head = 1 if model.bos else 0
    return [ids[head:] for ids in encode(model, sentences, position="last")]


def check_specials(model: Model, found: Mapping[str, Any], what: str) -> None:
    """Raise `InputError` where `what` (`these neurons were`) was found under another BOS or EOS.

    `found` is what `Model.describe` said of the model then; keys that it lacks are not compared.
    """
    own = model.describe()
    specials = {"bos": own.bos, "eos": own.eos}
    differing = [name for name, token in specials.items() if name in found and found[name] != token]
    if not differing:
        return
    foreign = next(
        (name for name in differing if found[name] is not None and _token(model, found[name]) is None), None
    )
    if foreign is not None:
        raise InputError(
            f"{what} found under {foreign.upper()} {found[foreign]}, a token that {model.name} does not have; "
            "name the model that they are of, or find them again"
        )
    then = " and ".join(f"{name.upper()} {_text(model, found[name])}" for name in differing)
    now = " and ".join(_text(model, specials[name]) for name in differing)
    options = " ".join(f"--{name} '{_text(model, found[name])}'" for name in differing)
    raise InputError(
        f"{what} found under {then}, and the model now has {now}; give {options} (in Python load_model(..., "
        f"{', '.join(f'{name}=' for name in differing)})), or find them again"
    )


def _text(model: Model, token: int | None) -> str:
    """A token as `--bos` and `--eos` name it."""
    return "none" if token is None else str(_token(model, token))


def _token(model: Model, token: int) -> str | None:
    """How the vocabulary spells a token; None for one that it does not have."""
    if not 0 <= token < len(model.tokenizer):
        return None
    spelt: str | None = model.tokenizer.convert_ids_to_tokens(token)
    return spelt


def _short(sentence: str) -> str:
    return repr(sentence if len(sentence) <= 40 else f"{sentence[:37]}...")
