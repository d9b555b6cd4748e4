"""Where an edit acts and how strongly, and what is measured: options that `ablate` and `amplify` share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import MOST_CONTROLS, Json
from neurosteer.vocabulary import Where as WhereName

from . import options, parse

edit_option = partial(typer.Option, rich_help_panel="The edit")
_measurement_option = partial(typer.Option, rich_help_panel="The measurement")

Scale = Annotated[
    list[float] | None,
    edit_option(
        metavar="X",
        parser=parse.finite,
        help="What their distance from the reference is multiplied by. Repeats, for a dose-response curve.",
        show_default="0 for ablate, 2 for amplify",
    ),
]
Where = Annotated[
    WhereName,
    edit_option(
        metavar="all|prompt|every",
        autocompletion=parse.suggest("all", "prompt", "every"),
        help="At which tokens; all is every token but BOS, every is BOS too (what weights can do).",
    ),
]
Controls = Annotated[
    int,
    _measurement_option(
        min=0,
        max=MOST_CONTROLS,
        metavar="N",
        help="Matched control sets: at least 19 for a verdict, 99 for a paper, 0 for none.",
    ),
]
Also = Annotated[
    list[str] | None,
    _measurement_option(
        metavar="TASK",
        parser=parse.some_text,
        autocompletion=options.known_tasks,
        help="Another task that the edit should leave alone. Repeats.",
        show_default=False,
    ),
]
Neutral = Annotated[
    Path | None,
    _measurement_option(
        metavar="FILE",
        parser=parse.file,
        help="Text on which side effects are measured.",
        show_default="a small built-in one",
    ),
]
Kl = Annotated[
    Any,  # a number or "auto"
    _measurement_option(
        metavar="X",
        parser=parse.divergence,
        help="Compare where each set disturbs neutral text as much: by KL X (nats per token), or auto.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class MeasurementOptions:
    """Where the edit acts and how strongly, and what is measured."""

    scale: Scale = None
    where: Where = "all"
    controls: Controls = 19
    also: Also = None
    neutral: Neutral = None
    kl: Kl = None
    convention: options.Convention = "sum"

    def __post_init__(self) -> None:
        if self.where in ("eos", "generated"):
            raise InputError(
                f"--where {self.where} cannot matter for scores: sentences are given, and EOS is never scored"
            )

    def scales(self, default: float) -> tuple[float, ...]:
        """Each once; the first is the edit's own."""
        return tuple(dict.fromkeys(self.scale or (default,)))

    def record(self, default: float) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        return {
            "where": self.where,
            "scales": self.scales(default),
            "controls": self.controls,
            "also": tuple(self.also or ()),
            "neutral": None if self.neutral is None else str(self.neutral),
            **({} if self.kl is None else {"kl": self.kl}),
            "convention": self.convention,
        }
