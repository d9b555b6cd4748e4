"""Runs of a tiny model with their pages, of every command that keeps one, and one whose data are hostile."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from made_evidence import make_evidence
from made_pairs import made_pairs

from neurosteer.edits import Edit
from neurosteer.forward import score
from neurosteer.model import Model
from neurosteer.report.pages import PAGE, run_page
from neurosteer.results import record
from neurosteer.results.text import Continuation
from neurosteer.studies import find, measure_effect, save_effects, save_find, save_scores, save_texts
from neurosteer.studies.token_scores import TokenScores

SCALES = (0.0, 0.5, 2.0)
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    '" onmouseover="window.hacked = 1" \u2028 x="',
    "{{ 7 * 7 }} {% raw %} &amp; \u202e <!-- <script> `${window.hacked = 1}`",
)


def make_runs(place: Path, model: Model) -> dict[str, Path]:
    """The folders of finished runs, by command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(place / "home"))
        found = find(model, made_pairs(), methods=("welch", "attribution"), topk=3, draws=2)
        about = {"scales": SCALES, "controls": 19}
        effects = [
            measure_effect(model, found.test, Edit.ablate(found.ranking(method).top(3)), **about)
            for method in ("welch", "attribution")
        ]
        scored = [(found.test, score(model, found.test))]
        texts = [
            Continuation(
                prompt="w0 w1",
                before=" w2",
                after=f" w{3 + i}",
                method=effect.method or "",
                edit=replace(effect.edit, scale=scale),
                neurons_from="here",
            )
            for effect in effects
            for i, scale in enumerate(SCALES)
        ]
        runs = {
            "find": save_find(model, [found], out=place, options={})[0],
            "ablate": save_effects(model, effects, command="ablate", out=place, options={})[0],
            "score": save_scores(model, scored, out=place, options={})[0],
            "generate": save_texts(model, "made", texts, out=place, options={})[0],
            "evidence": place / "evidence-made",
        }
        write_results(runs["evidence"], "evidence", [record(make_evidence())])
        write_page(runs["evidence"])
    return runs


def write_results(folder: Path, command: str, entries: list[dict[str, object]]) -> None:
    """A results.json as that of a run."""
    folder.mkdir(exist_ok=True)
    run = {"command": command, "version": "0", "model": {"name": "m"}, "options": {}, "results": entries}
    (folder / "results.json").write_text(json.dumps(run))


def write_page(folder: Path) -> Path:
    (folder / PAGE).write_text(run_page(folder, folder.name), "utf-8")
    return folder / PAGE


def make_hostile(ablated: Path, folder: Path) -> Path:
    """The page of a copy of a run of `ablate`, all of whose words are hostile."""
    shutil.copytree(ablated, folder)
    run = json.loads((folder / "results.json").read_text())
    run["model"]["name"] = HOSTILE[0]
    run["options"] = {"seed": 0, "tasks": list(HOSTILE)}
    for entry, method in zip(run["results"], HOSTILE[1:], strict=False):
        entry |= {"task": HOSTILE[0], "method": method, "reading": HOSTILE[2], "notices": list(HOSTILE)}
        entry["data"]["source"] = entry["neurons_from"] = HOSTILE[3]
        pairs = folder / Path(entry["files"]["pairs"]).name
        with pairs.open(newline="") as file:
            rows = list(csv.DictReader(file))
        with pairs.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            for i, row in enumerate(rows):
                hostile = {"sentence_good": HOSTILE[i % 4], "sentence_bad": HOSTILE[(i + 1) % 4]}
                writer.writerow(row | hostile)
        file_of_tokens = folder / Path(entry["files"]["tokens"]).name
        tokens = TokenScores.load(file_of_tokens)
        texts = tuple(HOSTILE[i % 4] for i in range(len(tokens.texts)))
        replace(tokens, texts=texts).save(file_of_tokens)
    (folder / "results.json").write_text(json.dumps(run))
    return write_page(folder)
