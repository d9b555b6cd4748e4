"""Does the default training of the masks reach the least loss that is known, and has it settled?

For each task, layer and lambda: the loss of the default (its expectation over 200 draws of noise that all runs share)
above the least of six long runs, from cold and from warm weights with three seeds each; and what three times the
steps change of the kept share and of the test accuracy. A task takes some minutes, and is kept in a file of its own.

python recipes/validity/l0_training.py --data ./blimp
python recipes/validity/l0_training.py --data ./blimp --states raw

On raw and on scaled states units differ in scale, and training takes longer. What is asked there is whether loss and
kept share have settled: runs of a quarter, a half and all of the steps that `sensitivity` takes, and of twice those.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import neurosteer as ns
from neurosteer.model import Model
from neurosteer.probes import L0, L0Settings
from neurosteer.seeds import generator
from neurosteer.studies.examples import Examples
from neurosteer.studies.masked_probes import fit_masks

TASKS = (  # one of each phenomenon, the alphabetically first
    "anaphor_gender_agreement",
    "animate_subject_passive",
    "principle_A_c_command",
    "existential_there_object_raising",
    "determiner_noun_agreement_1",
    "ellipsis_n_bar_1",
    "wh_questions_object_gap",
    "irregular_past_participle_adjectives",
    "adjunct_island",
    "matrix_question_npi_licensor_present",
    "existential_there_quantifiers_1",
    "distractor_agreement_relational_noun",
)
LAMBDAS = (0.1, 0.2, 0.4)
LAYERS = 8
LONG = 6000  # steps of the runs that the default is held against
CLOSE = 0.10  # above the least loss
SETTLING = (3000, 6000, 12_000, 24_000)  # steps on states that are not standardised


def runs(states: str) -> Iterator[tuple[str, L0Settings, int]]:
    """Name, settings and seed: the default, three times its steps, the six long ones; or those of other states."""
    if states != "standardised":
        for steps in SETTLING:
            yield f"{steps} steps", replace(L0, states=states, steps=steps), 0  # type: ignore[arg-type]
        return
    yield "default", L0, 0
    yield "three times the steps", replace(L0, steps=3 * L0.steps), 0
    for seed in (1, 2, 3):
        yield f"cold, seed {seed}", replace(L0, steps=LONG), seed
        yield f"warm, seed {seed}", replace(L0, steps=LONG, start="warm"), seed


def measure(
    model: Model, task: str, data: str, limit: int, of_states: str
) -> dict[str, dict[str, list[list[float]]]]:
    """Loss, kept share and test accuracy `[layer][lambda]` of every run."""
    pairs = ns.load_pairs(task, source=data, limit=limit)
    layers = np.linspace(0, model.n_layers - 2, LAYERS).round().astype(int).tolist()
    states, split = ns.eos_states(model, pairs, layers=layers), pairs.split()
    examples = Examples.of(states, split.indices, slice(None), torch.device("cpu"))
    found = {}
    for name, settings, seed in runs(of_states):
        noise = [generator(seed, task, layer, "l0") for layer in layers]
        masks = fit_masks(examples, LAMBDAS, noise, settings)
        loss = masks.fitted.loss(masks.train, examples.y["train"], LAMBDAS, generator(0, task, "shared"))
        accuracy = examples.accuracy(masks.probes, "test")
        found[name] = {"loss": loss.tolist(), "kept": masks.kept.tolist(), "accuracy": accuracy.tolist()}
        print(f"{task}: {name}, loss {loss.mean():.4f}", flush=True)
    return found


def report(found: dict[str, dict[str, dict[str, list[list[float]]]]]) -> str:
    """What all tasks together say, lambda by lambda."""

    def every(run: str, what: str) -> np.ndarray:
        return np.array([of_task[run][what] for of_task in found.values()])  # task layer lambda

    if "default" not in next(iter(found.values())):
        return "\n".join(_settling(every))
    long = [name for name, _, _ in list(runs("standardised"))[2:]]
    losses = np.stack([every(name, "loss") for name in long])
    least, best = losses.min(axis=0), losses.argmin(axis=0)
    above = every("default", "loss") / least - 1
    kept, longer = every("default", "kept"), every("three times the steps", "kept")
    kept_by_best = np.take_along_axis(np.stack([every(name, "kept") for name in long]), best[None], axis=0)[0]
    gain = every("three times the steps", "accuracy") - every("default", "accuracy")
    lines = [
        f"{len(found)} tasks, {above.shape[1]} layers: {above.size} cells",
        f"within {CLOSE:.0%} of the least loss: {np.mean(above <= CLOSE):.1%} of the cells, worst {above.max():+.1%}",
        f"three times the steps: mean kept share {longer.mean() / kept.mean() - 1:+.2%} of itself, "
        f"accuracy {100 * gain.mean():+.2f} points",
    ]
    for j, lam in enumerate(LAMBDAS):
        close, empty = np.mean(above[..., j] <= CLOSE), np.mean(kept[..., j] == 0)
        lines.append(
            f"lambda {lam:g}: loss {above[..., j].mean():+.2%}, within {CLOSE:.0%} in {close:.1%}; "
            f"{empty:.0%} of the masks keep nothing; kept "
            f"{kept[..., j].mean():.4f} (three times the steps {longer[..., j].mean():.4f}, the best run "
            f"{kept_by_best[..., j].mean():.4f}); accuracy {100 * gain[..., j].mean():+.2f} points"
        )
    return "\n".join(lines)


def _settling(every: Callable[[str, str], np.ndarray]) -> Iterator[str]:
    """The mean over tasks and layers, and the median change of a cell from the run of half as many steps."""
    before = None
    for steps in SETTLING:
        loss, kept = (every(f"{steps} steps", what) for what in ("loss", "kept"))
        for j, lam in enumerate(LAMBDAS):
            line = f"{steps} steps, lambda {lam:g}: loss {loss[..., j].mean():.4f}, kept {kept[..., j].mean():.4f}"
            change = (
                "" if before is None else f" ({np.median(loss[..., j] / before[..., j] - 1):+.1%} loss of a cell)"
            )
            yield line + change
        before = loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--states", default="standardised", choices=("standardised", "scaled", "raw"))
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "l0_training")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    found = {}
    for task in TASKS:
        path = given.out / (f"{task}.json" if given.states == "standardised" else f"{task}.{given.states}.json")
        if not path.is_file():
            measured = measure(ns.load_model(given.model), task, given.data, given.limit, given.states)
            path.write_text(json.dumps({"settings": L0.settings(), **measured}) + "\n")
        found[task] = json.loads(path.read_text())
    print(report(found))


if __name__ == "__main__":
    main()
