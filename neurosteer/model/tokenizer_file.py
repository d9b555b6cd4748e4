"""Tokenizers as their own file has them: transformers rebuilds some from the vocabulary, and other ids result.

Where the two give other ids for a sentence, those of the file are used, and a notice says so. So it is for a folder,
and for a tokenizer that the caller has loaded from one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerFast

from neurosteer import hub
from neurosteer.progress import Progress

from .libraries import quiet_transformers

FILE = "tokenizer.json"
_AROUND_TEXT = {"padding", "post_processor", "truncation", "version"}  # not used here, or said elsewhere too
_NEEDED = ("bos_token", "eos_token")
_NAMES = (*_NEEDED, "unk_token", "pad_token")
_DRAWN = ("dropout", "alpha")  # of BPE and of Unigram: the same text is read in other ways each time


class Rebuilt:
    """A tokenizer as transformers has rebuilt it, for as long as no sentence has shown that it differs."""

    def __init__(self, name: str, tokenizer: Any, progress: Progress) -> None:
        self.name, self.tokenizer, self.progress = name, tokenizer, progress


_REBUILT: WeakKeyDictionary[Any, Rebuilt] = WeakKeyDictionary()


def as_in_file(label: str, tokenizer: Any, folder: Path | None, progress: Progress) -> Any:
    """The tokenizer of a folder's own `tokenizer.json`, where that is not what transformers has made of it."""
    tokenizer = _without_dropout(label, tokenizer, progress)
    file = None if folder is None else folder / FILE
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if file is None or backend is None or not file.is_file():
        return tokenizer
    own = _read(file)
    if _pipeline(own) == _pipeline(backend):
        return tokenizer
    return _made_of(own, label, tokenizer, progress)


def as_in_its_file(label: str, tokenizer: Any, progress: Progress) -> Any:
    """The same for a tokenizer that the caller has loaded, where its folder is known.

    One that is no more what transformers makes of that folder was changed on purpose, and stays as it is; tokens that
    were added to it stay too.
    """
    tokenizer = _without_dropout(label, tokenizer, progress)
    backend, folder = getattr(tokenizer, "backend_tokenizer", None), _folder(tokenizer)
    if backend is None or folder is None:
        return tokenizer
    own = _read(folder / FILE)
    if _pipeline(own) == _pipeline(backend):
        return tokenizer
    more = _added_since(tokenizer, folder)
    if more is None or not all(_add(own, word) for word in more):
        return tokenizer
    return _made_of(own, label, tokenizer, progress)


def _added_since(tokenizer: Any, folder: Path) -> list[dict[str, Any]] | None:
    """The tokens that a tokenizer has beyond what transformers makes of its folder; None where more has changed."""
    try:
        with quiet_transformers():
            loaded = type(tokenizer).from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception:  # of a class that can only be made otherwise: nothing says what its folder gives
        return None
    _keep_from_drawing(loaded)
    here, fresh = _pipeline(tokenizer.backend_tokenizer), _pipeline(loaded)
    added, known = here.pop("added_tokens"), fresh.pop("added_tokens")
    return [word for word in added if word not in known] if here == fresh else None


def _add(own: Tokenizer, word: dict[str, Any]) -> bool:
    """Whether an added token has its id in the file's tokenizer too, or can be given it."""
    content = word["content"]
    if own.token_to_id(content) in (None, word["id"]):
        own.add_tokens([AddedToken(**{name: value for name, value in word.items() if name != "id"})])
    return bool(own.token_to_id(content) == word["id"])


def _made_of(own: Tokenizer, label: str, tokenizer: Any, progress: Progress) -> Any:
    """transformers' tokenizer around the file's, with the special tokens of the one that transformers has made."""
    own.no_truncation()
    own.no_padding()
    own.post_processor = tokenizer.backend_tokenizer.post_processor
    special = {name: str(token) for name in _NAMES if (token := getattr(tokenizer, name)) is not None}
    for token in [special[name] for name in _NEEDED if name in special]:
        if own.token_to_id(token) is None and tokenizer.get_vocab()[token] == own.get_vocab_size():
            own.add_special_tokens([token])  # one that its other files name, where the ids go on
    special = {name: token for name, token in special.items() if own.token_to_id(token) is not None}
    found = PreTrainedTokenizerFast(tokenizer_object=own, name_or_path=tokenizer.name_or_path, **special)
    _REBUILT[found] = Rebuilt(label, tokenizer, progress)
    return found


def _folder(tokenizer: Any) -> Path | None:
    """The folder from which a tokenizer says that it was loaded, if its `tokenizer.json` is there."""
    name = str(getattr(tokenizer, "name_or_path", "") or getattr(tokenizer, "vocab_file", "") or "")
    if not name:
        return None
    place = Path(name)
    place = place.parent if place.is_file() else place
    if place.is_dir():
        return place if (place / FILE).is_file() else None
    return hub.folder_of(name, FILE, None)


def _read(file: Path) -> Tokenizer:
    own = Tokenizer.from_file(str(file))
    _keep_from_drawing(own)
    return own


def _without_dropout(label: str, tokenizer: Any, progress: Progress) -> Any:
    """A tokenizer that reads the same text in the same way each time; if it did not, a notice says so."""
    model = getattr(getattr(tokenizer, "backend_tokenizer", None), "model", None)
    drawn = [name for name in _DRAWN if getattr(model, name, None)]
    if not drawn:
        return tokenizer
    progress.notice(
        f"{label}: its tokenizer has a {drawn[0]} of {getattr(model, drawn[0]):g}, with which it reads the "
        "same text in other ways each time; it is switched off"
    )
    tokenizer = deepcopy(tokenizer)
    _keep_from_drawing(tokenizer.backend_tokenizer)
    return tokenizer


def _keep_from_drawing(backend: Tokenizer) -> None:
    model: Any = backend.model
    for name in _DRAWN:
        if getattr(model, name, None) is not None:
            setattr(model, name, None)


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
