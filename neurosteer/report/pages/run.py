"""`run_page`: the page of a run, from nothing but the files of its folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.results.model import ModelUsed
from neurosteer.results.run import RunRecord
from neurosteer.store import MANIFEST

from .command import command_of_run
from .document import Document, Part, View
from .effects import effect_overview, effect_reading, effect_settings, effect_views, effects_of
from .evidence import evidence_of, evidence_overview, evidence_reading, evidence_settings, evidence_views
from .found import find_reading, find_settings, find_views, finds_of
from .generated import text_reading, text_settings, text_views, texts_of
from .origin import OriginFind, read_results
from .scores import score_overview, score_reading, score_settings, score_views, scores_of

PAGE = "index.html"
Reading = Sequence[tuple[str, str]]
Made = tuple[Reading, Sequence[tuple[str, str]], Sequence[Part], Sequence[View], str]


def run_page(folder: Path, name: str, beside: Path | None = None) -> str:
    """The page of the run in `folder`, called `name`, as one HTML file.

    A find that the run took its neurons from is looked for `beside`: where the run lies, or will lie. Raises
    `InputError` for a run that has no page of this kind: a recipe's has its own.
    """
    run = read_results(RunRecord, folder)
    if run.command not in _MAKERS:
        raise InputError(f"a run of `neurosteer {run.command}` has no such page; {', '.join(_MAKERS)} have one")
    origin = OriginFind.of(beside or folder.parent, run)
    reading, settings, overview, views, kind = _MAKERS[run.command](folder, run, origin)
    tasks = list(dict.fromkeys(row["task"] for row in run.results if "task" in row))
    about = f"{tasks[0]} and {len(tasks) - 1:,} more" if len(tasks) > 1 else "".join(tasks)
    return Document(
        title=f"{run.command}: {about or 'text before and after'}",
        subtitle=[run.model.name if run.model else "unknown model", name],
        reading=reading,
        command=_commands(run, origin),
        overview=overview,
        views=views,
        kind=kind,
        settings=[*settings, *(_model(run.model) if run.model else [])],
        notices=list(dict.fromkeys(notice for row in run.results for notice in row.get("notices", ()))),
        files=sorted(p.name for p in folder.iterdir() if p.name not in (PAGE, MANIFEST) and p.name[0] != "."),
        version=run.version,
    ).to_html()


def _commands(run: RunRecord, origin: OriginFind | None) -> str:
    """The command of the run; where it took the neurons of a find that lies beside it, the find's comes first."""
    own, taken = command_of_run(run), run.options.get("from")
    if own and origin:
        return "\n".join(filter(None, (origin.command, own)))
    return f"{own}  # with the neurons of {taken}" if own and taken else own


def _model(model: ModelUsed) -> list[tuple[str, str]]:
    """What is known of the model."""
    rows = []
    if model.revision:
        rows.append(("revision", model.revision))
    if model.fingerprint:
        rows.append(("weights", model.fingerprint[:12]))
    if model.dtype:
        rows.append(("computed in", f"{model.dtype} on {model.device}"))
    if model.eos is not None:
        rows.append(("BOS, EOS", f"{model.bos}, {model.eos}"))
    return rows


def _find(folder: Path, run: RunRecord, origin: OriginFind | None) -> Made:
    found = finds_of(run.results)
    return find_reading(found), find_settings(found), [], find_views(folder, found, run), "task"


def _effects(folder: Path, run: RunRecord, origin: OriginFind | None) -> Made:
    found = effects_of(run.results)
    overview, views = effect_overview(found), effect_views(folder, found, run, origin)
    return effect_reading(found), effect_settings(found), overview, views, "neurons by"


def _evidence(folder: Path, run: RunRecord, origin: OriginFind | None) -> Made:
    found = evidence_of(run.results)
    views, overview = evidence_views(found), evidence_overview(found)
    return evidence_reading(found), evidence_settings(found), overview, views, "neurons by"


def _score(folder: Path, run: RunRecord, origin: OriginFind | None) -> Made:
    found = scores_of(folder)
    return score_reading(found), score_settings(found), score_overview(found), score_views(folder, found), "task"


def _generate(folder: Path, run: RunRecord, origin: OriginFind | None) -> Made:
    texts = texts_of(run.results)
    return text_reading(texts), text_settings(texts), [], text_views(texts), "neurons by"


_MAKERS: dict[str, Callable[[Path, RunRecord, OriginFind | None], Made]] = {
    "find": _find,
    "ablate": _effects,
    "amplify": _effects,
    "evidence": _evidence,
    "score": _score,
    "generate": _generate,
}
