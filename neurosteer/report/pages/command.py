"""The command that makes a run again, from what the run says it was asked."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from neurosteer.results.run import RunRecord
from neurosteer.sites import USUAL_SITES
from neurosteer.vocabulary import COLUMNS, QUESTIONS, Json


@dataclass(frozen=True)
class _Option:
    """How an option is typed; `usual` is what its command does without it, and a list can be one `joined` word."""

    flag: str
    usual: Json = None
    joined: bool = False


_MODEL = {
    "name": _Option("--model"),
    "revision": _Option("--revision"),
    "device": _Option("--device", "auto"),
    "dtype": _Option("--dtype", "auto"),
    "device_map": _Option("--device-map"),
    "bos": _Option("--bos"),
    "eos": _Option("--eos"),
}
_PAIRS = {
    "tasks": _Option("--task"),
    "source": _Option("--data", "auto"),
    "columns": _Option("--columns", list(COLUMNS), joined=True),
    "layout": _Option("--layout", "auto"),
    "n": _Option("--limit"),
    "seed": _Option("--seed"),
}
_NEURONS = {  # without one of these, the find says it
    "file": _Option("--neurons"),
    "task": _Option("--task"),
    "methods": _Option("--method"),
    "topk": _Option("--topk"),
    "layers": _Option("--layers", joined=True),
    "by": _Option("--by"),
    "direction": _Option("--direction"),
    "reach": _Option("--reach", "own"),
    "source": _Option("--data"),
    "columns": _Option("--columns", joined=True),
    "layout": _Option("--layout"),
    "split": _Option("--split"),
    "limit": _Option("--limit"),
    "seed": _Option("--seed"),
}
_MEASURED = {
    "where": _Option("--where", "all"),
    "scales": _Option("--scale"),
    "controls": _Option("--controls"),
    "also": _Option("--also"),
    "neutral": _Option("--neutral"),
    "kl": _Option("--kl"),
    "convention": _Option("--convention", "sum"),
}
_FIND = {
    "methods": _Option("--method"),
    "split": _Option("--split"),
    "k": _Option("--topk"),
    "layers": _Option("--layers", "all", joined=True),
    "site": _Option("--site"),
    "by": _Option("--by", "unit"),
    "position": _Option("--position", "eos"),
    "lambdas": _Option("--lambda"),
    "to": _Option("--to", "zero"),
    "steps": _Option("--steps", 1),
    "directions": _Option("--direction"),
    "draws": _Option("--draws"),
    "share": _Option("--share"),
    "kl": _Option("--kl"),
    "neutral": _Option("--neutral"),
}
_EVIDENCE = {
    "only": _Option("--only", list(QUESTIONS), joined=True),
    "to": _Option("--to"),
    "controls": _Option("--controls"),
    "nulls": _Option("--nulls"),
    "kl": _Option("--kl"),
    "map": _Option("--map", False),
    "neutral": _Option("--neutral"),
}
_GENERATE = {
    "where": _Option("--where", "all"),
    "to": _Option("--to"),
    "push": _Option("--push"),
    "scales": _Option("--scale"),
    "max_new_tokens": _Option("--max-new-tokens"),
    "temperature": _Option("--temperature", 0.0),
}
_CARD = {  # what the card of a neuron shares with the run
    "source": _Option("--data", "auto"),
    "columns": _Option("--columns", list(COLUMNS), joined=True),
    "layout": _Option("--layout", "auto"),
    "n": _Option("--limit"),
    "limit": _Option("--limit"),
    "split": _Option("--split", "pair"),
    "seed": _Option("--seed", 0),
    "site": _Option("--site", USUAL_SITES["unit"]),
    **_MODEL,
}
OPTIONS: Mapping[str, Mapping[str, _Option]] = {
    "find": {**_PAIRS, **_FIND, **_MODEL},
    "score": {**_PAIRS, "convention": _Option("--convention", "sum"), **_MODEL},
    "ablate": {**_NEURONS, **_MEASURED, "kinds": _Option("--to"), **_MODEL},
    "amplify": {**_NEURONS, **_MEASURED, "about": _Option("--to"), **_MODEL},
    "evidence": {**_NEURONS, **_EVIDENCE, **_MODEL},
    "generate": {**_NEURONS, **_GENERATE, **_MODEL},
}
"""Every option that a run keeps, by its command and by the name that it has there."""
_NO_OPTIONS = ("from", "prompts")  # they are kept beside them


def command_of_run(run: RunRecord) -> str:
    """The command of a run, by its results: a find that `ablate` had to make keeps its model there alone."""
    named = {}
    if run.model is not None and "name" not in run.options:
        named = {"name": run.model.name, "revision": run.model.revision}
    return command_of(run.command, {**run.options, **named})


def command_of(command: str, options: Mapping[str, Json]) -> str:
    """`neurosteer find --task intransitive --topk 1%`; empty for a run that no command made.

    It is empty too where the run keeps an option that is not known here: a command without it makes another run.
    """
    known = OPTIONS.get(command, {})
    asked = {name: value for name, value in options.items() if name not in _NO_OPTIONS}
    if "seed" not in asked or not {*asked} <= {*known}:
        return ""
    words: list[str] = []
    for name, value in asked.items():
        usual = USUAL_SITES[asked.get("by", "unit")] if name == "site" else known[name].usual
        if value is not None and (list(value) if isinstance(value, tuple) else value) not in ([], usual):
            words += _typed(known[name], value)
    prompts = options.get("prompts", ())
    if any(one.startswith("-") for one in prompts):  # it is no option
        return shlex.join(["neurosteer", command, *words, "--", *prompts])
    return shlex.join(["neurosteer", command, *prompts, *words])


def neuron_command(task: str, site: str, *runs: RunRecord) -> str:
    """The command of a neuron's whole card: of the model and pairs of these runs, the last of which says most."""
    asked: dict[str, Json] = {"site": site}
    for run in runs:
        named = {} if run.model is None else {"name": run.model.name, "revision": run.model.revision}
        asked |= {name: value for name, value in (named | dict(run.options)).items() if value is not None}
    words: dict[str, list[str]] = {}
    for name, option in _CARD.items():
        if (value := asked.get(name)) not in (None, option.usual):
            words[option.flag] = _typed(option, value)
    return shlex.join(["neurosteer", "neuron", "LAYER:UNIT", "--task", task, *chain(*words.values())])


def _typed(option: _Option, value: Json) -> list[str]:
    """The words of an option that has a value."""
    if isinstance(value, bool):
        return [option.flag]
    if isinstance(value, list | tuple) and not option.joined:
        return [word for one in value for word in (option.flag, _text(one))]
    return [option.flag, ",".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)]


def _text(value: Json) -> str:
    """As it is typed; a number keeps all of its digits."""
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
