"""Tokenizers as their own file has them: transformers rebuilds some from the vocabulary, and other ids result.

Where the two give other ids for a sentence, those of the file are used, and a notice says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from neurosteer.progress import Progress

FILE = "tokenizer.json"
_AROUND_TEXT = {"padding", "post_processor", "truncation", "version"}  # not used here, or said elsewhere too
_NEEDED = ("bos_token", "eos_token")
_NAMES = (*_NEEDED, "unk_token", "pad_token")


class Rebuilt:
    """A tokenizer as transformers has rebuilt it, for as long as no sentence has shown that it differs."""

    def __init__(self, name: str, tokenizer: Any, progress: Progress) -> None:
        self.name, self.tokenizer, self.progress = name, tokenizer, progress


_REBUILT: WeakKeyDictionary[Any, Rebuilt] = WeakKeyDictionary()


def as_in_file(label: str, tokenizer: Any, folder: Path | None, progress: Progress) -> Any:
    """The tokenizer of a folder's own `tokenizer.json`, where that is not what transformers has made of it."""
    file = None if folder is None else folder / FILE
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if file is None or backend is None or not file.is_file():
        return tokenizer
    own = Tokenizer.from_file(str(file))
    if _pipeline(own) == _pipeline(backend):
        return tokenizer
    own.no_truncation()
    own.no_padding()
    own.post_processor = backend.post_processor
    special = {name: str(token) for name in _NAMES if (token := getattr(tokenizer, name)) is not None}
    for token in [special[name] for name in _NEEDED if name in special]:
        if own.token_to_id(token) is None and tokenizer.get_vocab()[token] == own.get_vocab_size():
            own.add_special_tokens([token])  # one that its other files name, where the ids go on
    special = {name: token for name, token in special.items() if own.token_to_id(token) is not None}
    found = PreTrainedTokenizerFast(tokenizer_object=own, name_or_path=tokenizer.name_or_path, **special)
    _REBUILT[found] = Rebuilt(label, tokenizer, progress)
    return found


def notice_difference(tokenizer: Any, sentences: Sequence[str], ids: Sequence[Sequence[int]], **how: Any) -> None:
    """Say once that transformers' own tokenizer reads one of the sentences as other ids than these of the file."""
    rebuilt = _REBUILT.get(tokenizer)
    if rebuilt is None or not sentences:
        return
    theirs = rebuilt.tokenizer(list(sentences), **how)["input_ids"]
    for sentence, own, other in zip(sentences, ids, theirs, strict=True):
        if list(own) != list(other):
            kind = type(rebuilt.tokenizer).__name__
            shown = sentence if len(sentence) <= 40 else f"{sentence[:37]}..."
            read = [" ".join(_tokens(one, some)) for one, some in ((tokenizer, own), (rebuilt.tokenizer, other))]
            rebuilt.progress.notice(
                f"{rebuilt.name}: its {FILE} reads {shown!r} as {read[0]}, transformers' {kind} as {read[1]}; "
                "the ids are those of the file"
            )
            del _REBUILT[tokenizer]
            return


def _tokens(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    few: list[str] = tokenizer.convert_ids_to_tokens(list(ids[:6]))
    return few + (["..."] if len(ids) > len(few) else [])


def _pipeline(tokenizer: Tokenizer) -> dict[str, Any]:
    """All that decides how text is split into ids."""
    return {name: part for name, part in json.loads(tokenizer.to_str()).items() if name not in _AROUND_TEXT}
