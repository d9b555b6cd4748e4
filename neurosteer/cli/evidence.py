"""`neurosteer evidence`: six questions about a neuron set, each beside matched controls, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.vocabulary import MOST_CONTROLS, QUESTIONS, FixedReference, Json, Question

from . import options, parse
from .earlier_run import say_foot
from .measurement import Neutral
from .neurons import NeuronsFrom, Seed
from .option_groups import with_groups
from .origin import model_of, origin_of
from .progress import TerminalProgress
from .screen import show

if TYPE_CHECKING:
    from neurosteer.model import Model
    from neurosteer.studies import Origin
    from neurosteer.studies.evidence import Evidence, EvidenceSettings

_option = partial(typer.Option, rich_help_panel="The questions")

Only = Annotated[
    Any,  # several words in one text: typer reads no list of them
    _option(
        metavar="WORDS",
        parser=parse.questions,
        autocompletion=parse.suggest(*QUESTIONS),
        help=f"Only some of them: {', '.join(QUESTIONS)}.",
        show_default="all",
    ),
]
To = Annotated[FixedReference, _option(help="What neurons are moved towards: their mean over tokens, or zero.")]
Controls = Annotated[
    int,
    _option(
        min=0, max=MOST_CONTROLS, metavar="N", help="Matched control sets: at least 19 for a verdict, 99 for a paper."
    ),
]
Nulls = Annotated[
    int | None,
    _option(
        min=0,
        max=10_000,
        metavar="N",
        help="Searches on exchanged labels: at least 19 for a verdict.",
        show_default="39, of causal-l0 19",
    ),
]
Kl = Annotated[
    Any,  # a number or "auto"
    _option(
        metavar="X",
        parser=parse.divergence,
        help="Compare also where each set disturbs neutral text by KL X (nats per token), or auto.",
        show_default=False,
    ),
]
Map = Annotated[
    bool, _option("--map", help="Also which layer and region the preference follows, where there are such items.")
]


@dataclass(frozen=True)
class QuestionOptions:
    """Which questions, and how."""

    only: Only = None
    to: To = "mean"
    controls: Controls = 19
    nulls: Nulls = None
    kl: Kl = None
    map: Map = False
    neutral: Neutral = None

    @property
    def questions(self) -> tuple[Question, ...]:
        return self.only or QUESTIONS

    def settings(self, seed: int, *, offline: bool) -> EvidenceSettings:
        """As the study takes them."""
        from neurosteer.studies.evidence import EvidenceSettings

        return EvidenceSettings(
            to=self.to,
            controls=self.controls,
            nulls=self.nulls,
            kl=None if self.kl == "auto" else self.kl,
            auto_kl=self.kl == "auto",
            map=self.map,
            seed=seed,
            offline=offline,
        )

    def record(self) -> dict[str, Json]:
        """As a run keeps it, as JSON."""
        return {**vars(self), "only": self.questions, "neutral": None if self.neutral is None else str(self.neutral)}


@with_groups
def evidence(
    name: options.Name = None,
    *,
    neurons: NeuronsFrom,
    seed: Seed = None,
    asked: QuestionOptions,
    model: options.ModelOfFind,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Ask six questions about the neurons of the newest find, each compared with matched controls.

    neurosteer evidence --topk 40
    """
    neurons = neurons.of(name)
    if neurons.reach != "own":
        raise InputError(
            f"--reach {neurons.reach}: what is kept, swapped or ablated at one layer must not be written over at the "
            "next; evidence asks about neurons at their own layers (leave --reach out)"
        )
    model_from = model_of(neurons, model, output.out, seed=seed, progress=progress)
    loaded = model_from.load(offline=output.offline, progress=progress)
    origin = origin_of(neurons, loaded, output.out, seed=seed, pairs=True, offline=output.offline, progress=progress)
    record = {**neurons.record(seed), **asked.record(), **model_from.record(), "from": origin.where}
    found = _ask(loaded, origin, neurons, seed, asked, output, progress)
    _show(loaded, found, record, output, progress)


def _ask(
    model: Model,
    origin: Origin,
    neurons: NeuronsFrom,
    seed: int | None,
    asked: QuestionOptions,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> list[Evidence]:
    from neurosteer.studies.evidence import Chosen, ask, layers_among

    assert origin.pairs is not None
    assert origin.split is not None
    chosen = []
    for method, one in origin.sets.items():
        ranking = origin.rankings.get(method)
        chosen.append(Chosen(one, ranking, layers_among(one, ranking, neurons.layers)))
    settings = asked.settings(origin.split.seed if seed is None else seed, offline=output.offline)
    try:
        found = ask(
            model,
            origin.pairs,
            origin.split,
            chosen,
            settings,
            only=asked.questions,
            neutral=asked.neutral,
            progress=progress,
        )
    except KeyboardInterrupt:
        progress.notice("stopped: the questions that are done are kept; the same command goes on with the others")
        raise
    whole = [replace(one.data, **vars(origin.data)) if origin.data else one.data for one in found]
    return [replace(one, data=data, neurons_from=origin.where) for one, data in zip(found, whole, strict=True)]


def _show(
    model: Model,
    found: list[Evidence],
    record: dict[str, Json],
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    from neurosteer.report import evidence_table, to_json
    from neurosteer.studies.evidence import save_evidence

    run, result = save_evidence(model, found, out=output.out, options=record, progress=progress)
    progress.clear()
    if output.as_json:
        print(to_json(result), end="")
    else:
        for one in found:
            show(evidence_table(one))
    say_foot(model, run, output)
