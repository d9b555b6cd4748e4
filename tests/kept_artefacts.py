"""One file of every kind that neurosteer keeps, and a folder of every kind of run, of a tiny model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from fresh_process import write_made
from made_pairs import made_pairs
from stub_recipe import DIGEST, stub_plan, stub_rooms, stub_units, write_recipe

from neurosteer.edits import Edit
from neurosteer.experiments import run_recipe
from neurosteer.forward import score
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet
from neurosteer.progress import QUIET
from neurosteer.runner.execution import run_units
from neurosteer.studies import find, measure_effect, save_effects, save_find, save_scores
from neurosteer.studies.masks.path_cache import Keep, State


def keep_artefacts(place: Path, model: Model) -> dict[str, Path]:
    """Their paths, by name; all below `place`, the cache too."""
    home, every = place / "home", ("welch", "l0", "attribution")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROSTEER_HOME", str(home))
        patch.chdir(place)
        found = find(model, made_pairs(), methods=every, layers=[0], topk=3, draws=1)
        effect = measure_effect(model, found.test, Edit.ablate(found.ranking().top(3)), scales=(0.0, 2.0), controls=1)
        for name, module in stub_rooms(stub_plan).items():
            patch.setitem(sys.modules, name, module)
        write_recipe(place / "sums.toml", data=str(write_made(place / "made.jsonl")))
        recipe = run_recipe("sums.toml", out=place).folder
        units = torch.zeros(1, 32)
        state = State(units, units, units, units, units.bool(), step=20, start=0.1)
        Keep.of(model, made_pairs(), QUIET, cache=True).write(state, last=False)
    run, _ = save_find(model, [found], out=place, options={})
    ablated, _ = save_effects(model, [effect], command="ablate", out=place, options={})
    scored, *_ = save_scores(model, [(found.test, score(model, found.test))], out=place, options={})
    found.ranking().top(3).save(place / "neurons.safetensors")
    NeuronSet.of(model, [(0, 1)], by="head").save(place / "heads.safetensors")
    found.direction("mean").save(place / "direction.safetensors")
    run_units(stub_units(), place / "units-only", DIGEST)
    cached = {
        name: next((home / name).rglob("*.safetensors"))
        for name in ("states", "stats", "attribution", "found", "mask")
    }
    return cached | {
        "find": run,
        "ablate": ablated,
        "score": scored,
        "run": recipe,
        "ranking": run / "made.welch.safetensors",
        "gates": run / "made.l0.safetensors",
        "probes": run / "made.probes.safetensors",
        "top states": run / "made.states.safetensors",
        "controls": next(ablated.glob("*.controls.safetensors")),
        "tokens": next(ablated.glob("*.tokens.safetensors")),
        "neurons": place / "neurons.safetensors",
        "heads": place / "heads.safetensors",
        "direction": place / "direction.safetensors",
        "unit": place / "units-only" / "units" / "joint-0.safetensors",
    }
