"""`neurosteer neuron`: one neuron: where it is high, what it tells apart, what the model does without it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neurosteer.errors import InputError
from neurosteer.sites import USUAL_SITES
from neurosteer.vocabulary import MOST_CONTROLS, FixedReference

from . import options, parse
from .measurement import Also, Neutral
from .option_groups import with_groups
from .progress import TerminalProgress
from .screen import say, show


@with_groups
def neuron(
    which: Annotated[Any, typer.Argument(metavar="LAYER:UNIT", parser=parse.neurons, help="Which: 14:301.")],
    *,
    pairs: options.PairsFrom,
    also: Also = None,
    to: Annotated[FixedReference, typer.Option(help="What it is moved towards when it is ablated.")] = "mean",
    controls: Annotated[
        int, typer.Option(min=0, max=MOST_CONTROLS, metavar="N", help="Matched single units of its layer.")
    ] = 19,
    neutral: Neutral = None,
    site: options.Site = None,
    split: options.Split = "pair",
    seed: options.Seed = 0,
    model: options.ModelFrom,
    output: options.PageOutput,
    progress: TerminalProgress,
) -> None:
    """Show one neuron: where it is high, what it tells apart, what the model does without it.

    neurosteer neuron 14:301 --task intransitive
    """
    if isinstance(which, Path) or len(which) != 1:
        raise InputError(f"'{which}' is not one neuron; name it as LAYER:UNIT, 14:301")
    tasks = pairs.load(None, seed=seed, offline=output.offline, progress=progress)
    if len(tasks) != 1:
        raise InputError(f"a card is of one task, not of {len(tasks)}; give one --task, and others as --also")

    from neurosteer.pairs import load_others
    from neurosteer.store import file_stem
    from neurosteer.studies.cards import neuron_card

    loaded = model.load(offline=output.offline, progress=progress)
    [task], at = tasks, site or USUAL_SITES["unit"]
    others = load_others(task, also or (), limit=pairs.limit, seed=seed, offline=output.offline)
    card = neuron_card(
        loaded,
        task,
        which[0],
        site=at,
        split=task.split(split, seed),
        also=others,
        to=to,
        controls=controls,
        neutral=neutral,
        out=output.out,
        seed=seed,
        progress=progress,
    )
    layer, unit = which[0]
    name = f"neuron-{layer}-{unit}-{at}-{file_stem(task.task)}-{file_stem(Path(loaded.name).name)}.html"
    card.save(output.out / name)
    progress.clear()
    if output.as_json:
        print(card.to_json(), end="")
    else:
        show(card)
        say(f"model   {loaded.name}, {loaded.specials}")
        say(f"page    {output.out / name}")
    if output.open:
        options.open_page(output.out / name)
