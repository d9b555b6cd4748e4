"""Why a model could not be loaded: what transformers says of it, with the file, field or name that it leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from neurosteer.errors import did_you_mean

from .builtin import NAME
from .libraries import essence


def why(label: str, error: Exception, said: Sequence[str], *, part: str, folder: Path | None) -> str:
    """One line. `part` of the model could not be loaded, `said` is what was logged before, `folder` a local one."""
    text = essence(error, said)
    if folder is not None:
        if part == "tokenizer":
            kind = _settings(folder / "tokenizer_config.json").get("tokenizer_class")
            part = "tokenizer" if kind is None else f"tokenizer ({kind}, says tokenizer_config.json)"
        return f"cannot load the {part} in {label}: {_broken(folder, error) or _field(folder, error) or text}"
    causes = {type(cause).__name__ for cause in (error, error.__cause__, error.__context__) if cause}
    if "RepositoryNotFoundError" in causes or did_you_mean(label, [NAME]):
        return f"unknown model '{label}'{did_you_mean(label, [NAME])}; name a folder, a hub id or '{NAME}'"
    return f"cannot load '{label}' from the hub or its cache: {text}; name a local folder with --model"


def _broken(folder: Path, error: Exception) -> str | None:
    """The first of a folder's files that is no JSON or no safetensors, where this may be the error."""
    if isinstance(error, ValueError):
        for file in sorted(folder.glob("*.json")):
            try:
                json.loads(file.read_text("utf-8"))
            except ValueError as broken:
                return f"its {file.name} is no JSON: {essence(broken)}"
    if type(error).__name__ == "SafetensorError":
        from safetensors import SafetensorError, safe_open

        for file in sorted(folder.glob("*.safetensors")):
            try:
                with safe_open(file, framework="pt"):
                    pass
            except (SafetensorError, OSError) as broken:
                return f"its {file.name} is no whole safetensors file: {essence(broken)}; take another copy"
    return None


def _field(folder: Path, error: Exception) -> str | None:
    """The field of a config whose value is a word that transformers does not know, or no object."""
    settings = _settings(folder / "config.json")
    if isinstance(error, AttributeError) and not isinstance(settings.get("quantization_config", {}), dict):
        return "quantization_config in its config is no object"
    word = error.args[0] if isinstance(error, KeyError) and error.args else None
    fields = [name for name, value in _values(settings) if word is not None and value == word]
    return f"transformers knows no {fields[0]} '{word}', which its config names" if fields else None


def _settings(file: Path) -> Mapping[str, object]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _values(settings: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """The fields of a config with the path to each."""
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _values(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
