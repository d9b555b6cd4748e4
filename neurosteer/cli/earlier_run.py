"""A command that is asked for again: its answer, without a model. And what stands below every answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from neurosteer.vocabulary import Json

from .options import PageOutput, open_page
from .screen import say

if TYPE_CHECKING:
    from neurosteer.model import KnownModel
    from neurosteer.studies import RunRequest


@runtime_checkable
class HasName(Protocol):
    """A model, loaded or known by its files."""

    @property
    def name(self) -> str: ...

    @property
    def specials(self) -> str: ...


@dataclass(frozen=True)
class Again:
    """What was made before: the model, the run's folder, and its JSON object."""

    model: KnownModel
    run: Path
    result: dict[str, Json]


def made_again(question: RunRequest, model: KnownModel | None) -> Again | None:
    """The answer to the same question about the same model."""
    from neurosteer.studies import made_before

    found = None if model is None else made_before(question, model)
    return None if model is None or found is None else Again(model, *found)


def say_foot(model: HasName, run: Path, output: PageOutput) -> None:
    """Which model it was, where the run, its page and its figures are; the page is opened if that was asked."""
    if not output.as_json:
        say(f"model   {model.name}, {model.specials}")
        for page in sorted(run.glob("index.html")):
            say(f"page    {page}")
        say(f"run     {run}")
        for figure in sorted(run.rglob("*.png")):
            say(f"figure  {figure}")
    if output.open:
        open_page(run / "index.html")
