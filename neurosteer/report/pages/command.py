"""The command that makes a run again, from what the run says it was asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from neurosteer.vocabulary import Json

_FLAGS = {
    "tasks": "--task",
    "task": "--task",
    "file": "--neurons",
    "source": "--data",
    "n": "--limit",
    "limit": "--limit",
    "columns": "--columns",
    "layout": "--layout",
    "methods": "--method",
    "split": "--split",
    "topk": "--topk",
    "k": "--topk",
    "layers": "--layers",
    "reach": "--reach",
    "site": "--site",
    "position": "--position",
    "lambdas": "--lambda",
    "to": "--to",
    "about": "--to",
    "kinds": "--to",
    "steps": "--steps",
    "draws": "--draws",
    "scales": "--scale",
    "where": "--where",
    "controls": "--controls",
    "nulls": "--nulls",
    "only": "--only",
    "map": "--map",
    "also": "--also",
    "neutral": "--neutral",
    "kl": "--kl",
    "convention": "--convention",
    "max_new_tokens": "--max-new-tokens",
    "temperature": "--temperature",
    "seed": "--seed",
    "name": "--model",
    "revision": "--revision",
    "device": "--device",
    "dtype": "--dtype",
    "device_map": "--device-map",
    "bos": "--bos",
    "eos": "--eos",
}
_ONE_WORD = ("columns", "layers", "only")  # lists that are one value on the command line
_USUAL: dict[str, Json] = {
    "source": "auto",
    "columns": ["sentence_good", "sentence_bad"],
    "layers": "all",
    "reach": "own",
    "site": "resid_post",
    "position": "eos",
    "steps": 1,
    "where": "all",
    "convention": "sum",
    "device": "auto",
    "dtype": "auto",
    "temperature": 0.0,
    "map": False,
}  # what the commands do anyway


def command_of(command: str, options: Mapping[str, Json]) -> str:
    """`neurosteer find --task intransitive --topk 1%`; empty for a run that no command made."""
    if "seed" not in options:
        return ""
    words = ["neurosteer", command, *options.get("prompts", ())]
    for name, value in options.items():
        flag, usual = _FLAGS.get(name), _USUAL.get(name)
        if flag is None or value is None or value in ([], ()) or value == usual:
            continue
        if isinstance(value, bool):
            words.append(flag)
        elif isinstance(value, list | tuple) and name not in _ONE_WORD:
            words += [word for one in value for word in (flag, _text(one))]
        else:
            words += [flag, ",".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)]
    return shlex.join(words)


def _text(value: Json) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
