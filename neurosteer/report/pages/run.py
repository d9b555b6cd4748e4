"""`run_page`: the page of a run, from nothing but the files of its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from neurosteer.errors import InputError
from neurosteer.store import MANIFEST
from neurosteer.vocabulary import Json

from .command import command_of_run
from .document import Document, Part, View
from .effects import effect_overview, effect_reading, effect_settings, effect_views, effects_of
from .evidence import evidence_of, evidence_overview, evidence_reading, evidence_settings, evidence_views
from .found import find_reading, find_settings, find_views
from .generated import text_reading, text_settings, text_views, texts_of
from .origin import RESULTS, OriginFind
from .scores import score_overview, score_reading, score_settings, score_views, scores_of

PAGE = "index.html"
Reading = Sequence[tuple[str, str]]
Made = tuple[Reading, Sequence[tuple[str, str]], Sequence[Part], Sequence[View], str]


def run_page(folder: Path, name: str) -> str:
    """The page of the run in `folder`, called `name`, as one HTML file.

    Raises `InputError` for a run that has no page of this kind: a recipe's has its own.
    """
    run = json.loads((folder / RESULTS).read_text("utf-8"))
    command = run["command"]
    if command not in _MAKERS:
        raise InputError(f"a run of `neurosteer {command}` has no such page; {', '.join(_MAKERS)} have one")
    reading, settings, overview, views, kind = _MAKERS[command](folder, run)
    model, tasks = run["model"] or {}, list(dict.fromkeys(e["task"] for e in run["results"] if "task" in e))
    about = f"{tasks[0]} and {len(tasks) - 1:,} more" if len(tasks) > 1 else "".join(tasks)
    return Document(
        title=f"{command}: {about or 'text before and after'}",
        subtitle=[str(model.get("name", "unknown model")), name],
        reading=reading,
        command=_commands(folder, run),
        overview=overview,
        views=views,
        kind=kind,
        settings=[*settings, *_model(model)],
        notices=list(dict.fromkeys(notice for e in run["results"] for notice in e.get("notices", ()))),
        files=sorted(p.name for p in folder.iterdir() if p.name not in (PAGE, MANIFEST) and p.name[0] != "."),
        version=str(run["version"]),
    ).to_html()


def _commands(folder: Path, run: Json) -> str:
    """The command of the run; where it took the neurons of a find that lies beside it, the find's comes first."""
    options = run.get("options") or {}
    own, origin = command_of_run(run), OriginFind.of(folder, options)
    if own and origin:
        return "\n".join(filter(None, (origin.command, own)))
    return f"{own}  # with the neurons of {options['from']}" if own and options.get("from") else own


def _model(model: dict[str, Json]) -> list[tuple[str, str]]:
    """What is known of the model."""
    rows = []
    if model.get("revision"):
        rows.append(("revision", str(model["revision"])))
    if model.get("fingerprint"):
        rows.append(("weights", str(model["fingerprint"])[:12]))
    if model.get("dtype"):
        rows.append(("computed in", f"{model['dtype']} on {model.get('device', 'cpu')}"))
    if "bos" in model:
        rows.append(("BOS, EOS", f"{model['bos']}, {model['eos']}"))
    return rows


def _find(folder: Path, run: Json) -> Made:
    rows = run["results"]
    return find_reading(rows), find_settings(rows), [], find_views(folder, rows), "task"


def _effects(folder: Path, run: Json) -> Made:
    found = effects_of(run["results"])
    overview = effect_overview(found)
    views = effect_views(folder, found, OriginFind.of(folder, run.get("options") or {}))
    return effect_reading(found), effect_settings(found), overview, views, "neurons by"


def _evidence(folder: Path, run: Json) -> Made:
    found = evidence_of(run["results"])
    views, overview = evidence_views(found), evidence_overview(found)
    return evidence_reading(found), evidence_settings(found), overview, views, "neurons by"


def _score(folder: Path, run: Json) -> Made:
    found = scores_of(run)
    return score_reading(found), score_settings(found), score_overview(found), score_views(folder, found), "task"


def _generate(folder: Path, run: Json) -> Made:
    texts = texts_of(run["results"])
    return text_reading(texts), text_settings(texts), [], text_views(texts), "neurons by"


_MAKERS: dict[str, Callable[[Path, Json], Made]] = {
    "find": _find,
    "ablate": _effects,
    "amplify": _effects,
    "evidence": _evidence,
    "score": _score,
    "generate": _generate,
}
