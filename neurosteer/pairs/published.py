"""Published sets of minimal pairs that have a name here: where the hub has them, and how their rows become pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from neurosteer.errors import InputError

from .blimp import HUB_ID
from .layouts import PLAIN, Layout


@dataclass(frozen=True)
class PublishedSet:
    """A set by its name in `--data`.

    Attributes:
        name: as `--data` takes it, alone or as NAME:CONFIGURATION.
        hub_id: of the set, or of the copy that the field's harnesses read.
        languages: that it has sentences of.
        licence: as its authors, or the copy, state it.
        layout: which columns play which part; what is None is found as in a file.
        each: what a configuration is: a task, a language (one has to be named), or a table of several tasks.
        split: that is read; `all` for each of them.
        phenomenon_before: what parts phenomenon and paradigm in a configuration's name; "" where it has none.
    """

    name: str
    hub_id: str
    languages: str
    licence: str
    layout: Layout = PLAIN
    each: Literal["task", "language", "table"] = "task"
    split: str = "train"
    phenomenon_before: str = ""


_ROWS = (
    PublishedSet("blimp", HUB_ID, "English", "CC BY 4.0"),
    PublishedSet(
        "multiblimp",
        "jumelet/multiblimp",
        "101 languages",
        "CC BY 4.0",
        Layout(good="sen", bad="wrong_sen", task="phenomenon"),
        each="language",
    ),
    PublishedSet(
        "rublimp",
        "RussianNLP/rublimp",
        "Russian",
        "Apache-2.0",
        Layout(good="source_sentence", bad="target_sentence"),
    ),
    PublishedSet("sling", "suchirsalhan/SLING", "Chinese", "MIT", each="table"),
    PublishedSet("zhoblimp", "Junrui1202/zhoblimp", "Chinese", "not stated"),
    PublishedSet("turblimp", "juletxara/turblimp", "Turkish", "CC BY 4.0"),
    PublishedSet("blimp-nl", "jmichaelov/blimp_nl", "Dutch", "not stated", split="test", phenomenon_before="__"),
    PublishedSet(
        "climp",
        "suchirsalhan/CLiMP",
        "Chinese",
        "MIT",
        Layout(sentence="2", label="3", pair="", task="1", phenomenon="0"),
        each="table",
    ),
    PublishedSet(
        "qfrblimp",
        "graalul/qfrblimp",
        "French of Quebec",
        "CC BY-NC-SA 4.0",
        Layout(first="sentence_a", second="sentence_b", label="label", task="type", phenomenon="category"),
        each="table",
        split="all",
    ),
    PublishedSet(
        "ewok",
        "ewok-core/ewok-core-1.0",
        "English",
        "terms to accept on the hub",
        Layout(good="Context1+Target1", bad="Context1+Target2", task="Domain"),
        each="table",
        split="test",
    ),
)
PUBLISHED = {row.name: row for row in _ROWS}


def configuration_of(published: PublishedSet, name: str) -> str:
    """What follows the set's name in `--data`, "" for all of it.

    Raises:
        InputError: where a language has to be named.
    """
    _, _, configuration = name.partition(":")
    if published.each == "language" and not configuration:
        raise InputError(
            f"which language of '{name}'? name one by its ISO 639-3 code: --data {name}:deu ({published.languages})"
        )
    return configuration
