"""Are the answers of `evidence` calibrated? How often sets that were drawn by lot pass its questions.

    python recipes/validity/evidence_calibration.py --out evidence_calibration.json

Random sets of 6 and of 40 units of the middle layer, none of them massive, and random directions within the
covariance of its states, through `encoded`, `necessary`, `sufficient`, `interchangeable` and `isolated`, each with 19
controls under the same procedure, on a few pairs: p <= .05 should come as often as exact binomial bounds allow,
Bonferroni over the cells (a question and a kind of set), and the pooled rate should hold .05 in its interval,
clustered by set. `sufficient` takes the larger of two p, so that it may lie below.

`selective` is asked of batches of 1 + 19 searches on exchanged labels: the first of them stands for the set. At most
10 of 100 batches should have p <= .05.

The file is written after every set, and the same command goes on from it.
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from calibration import LEVEL, judge, random_sets, read_or_begin, write_whole
from rich.console import Console

import neurosteer as ns
from neurosteer.model import Model
from neurosteer.neurons import Ranking
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import QUIET
from neurosteer.studies.effects.direction_controls import random_directions
from neurosteer.studies.evidence.answers import ASK
from neurosteer.studies.evidence.numbers import one_sided_p
from neurosteer.studies.evidence.passes import Passes
from neurosteer.studies.evidence.selective import null_sets
from neurosteer.studies.evidence.settings import EvidenceSettings
from neurosteer.studies.evidence.work import AskedSet
from neurosteer.vocabulary import Question

TASK, SOURCE = "anaphor_number_agreement", "builtin:balanced"  # it has a factorial form
SIZES = (6, 40)
QUESTIONS: tuple[Question, ...] = ("encoded", "necessary", "sufficient", "interchangeable", "isolated")
OTHERS = ("determiner_noun_agreement_1", "transitive", "wh_island", "npi_present_1")
NULLS = 19
DRAW = 1_000_000  # the seed of what is asked about; its controls have the number of the set
TEXT = "The museum opens at nine. Most visitors come in the morning, when the halls are quiet and cool."


def work_of(model: Model, pairs: Pairs, split: Split, target: ns.NeuronSet | ns.Direction, **given: Any) -> AskedSet:
    """A set, or direction, with everything that a question needs; what is shared between them is in `given`."""
    direction = target if isinstance(target, ns.Direction) else None
    neurons = target.neurons if isinstance(target, ns.Direction) else target
    settings = EvidenceSettings(controls=NULLS, nulls=1 + NULLS, offline=True)
    return AskedSet(
        model=model,
        neurons=neurons,
        direction=direction,
        layers=tuple(sorted(set(neurons.layers.tolist()))),
        topk=len(neurons),
        position="eos",
        pairs=pairs,
        split=split,
        neutral=TEXT,
        neutral_name="two sentences",
        **{one.name: getattr(settings, one.name) for one in fields(settings) if one.name not in given},
        **given,
    )


def directions_by_lot(
    model: Model, pairs: Pairs, split: Split, ranking: Ranking, sets: int
) -> list[ns.NeuronSet | ns.Direction]:
    """Drawn as controls of a direction are, by other draws."""
    [layer] = ranking.layers
    states = ns.eos_states(model, pairs, layers=[layer]).values[:, :, 0].double()
    vectors = random_directions(states[list(split.train_indices)], sets, DRAW)
    return [ns.Direction.of(model, one.float(), layer, stats=ranking.stats) for one in vectors]


def selective_ps(
    model: Model, pairs: Pairs, split: Split, ranking: Ranking, passes: Passes, batches: int
) -> list[float]:
    """The p of the first of 1 + 19 null searches among the others, for each batch."""
    found = []
    for batch in range(batches):
        work = work_of(
            model, pairs, split, ranking.top(6), method="welch", ranking=ranking, passes=passes, seed=batch
        )
        nulls, _ = null_sets(work)
        after = passes.edited(split.test, [work.ablation(one) for one in nulls])
        lost, *others = ((work.clean - after).sum(axis=1) / work.clean.sum()).tolist()
        found.append(one_sided_p(lost, others))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--batches", type=int, default=100, help="of null searches")
    parser.add_argument("--pairs", type=int, default=8, help="test pairs, of this task and of each other one")
    parser.add_argument("--out", type=Path, default=Path("evidence_calibration.json"))
    options = parser.parse_args()

    console, model = Console(), ns.load_model(options.model)
    layer = max(0, model.n_layers // 2 - 1)
    asked = {"model": model.fingerprint, "layer": layer, "sets": options.sets, "pairs": options.pairs}
    asked["batches"] = options.batches
    found = read_or_begin(options.out, asked, ("cells", "selective"))
    pairs = ns.load_pairs(TASK, source=SOURCE)
    whole = pairs.split("pair", 0)
    test = whole.test.limit(options.pairs)
    ranking = ns.rank_neurons(model, whole.train, method="welch", layers=[layer])
    split = Split("pair", 0, whole.train, whole.validation, test, whole.indices, whole.dropped)
    others = [ns.load_pairs(name, source=SOURCE).limit(options.pairs) for name in OTHERS]
    passes = Passes(model, QUIET)

    drawn: dict[str, list[ns.NeuronSet | ns.Direction]] = {
        str(size): [chosen for [chosen] in random_sets(ranking, size, options.sets, 0)] for size in SIZES
    }
    drawn["direction"] = directions_by_lot(model, pairs, whole, ranking, options.sets)
    for i in range(options.sets):
        for kind, sets in drawn.items():
            work = work_of(
                model,
                pairs,
                split,
                sets[i],
                method=None,
                ranking=None,
                passes=passes,
                seed=i,
                others=others,
                meaning=(),
            )
            for question in QUESTIONS:
                ps = found["cells"].setdefault(f"{question} {kind}", [])
                if len(ps) == i:
                    ps.append(ASK[question](work).answer.p)
        write_whole(options.out, found)
        console.print(i + 1, {name: _hits(ps) for name, ps in found["cells"].items()})
    if "welch 6" not in found["selective"]:
        found["selective"]["welch 6"] = selective_ps(model, pairs, split, ranking, passes, options.batches)
    told = {name: ps for name, ps in found["cells"].items() if None not in ps}
    found["judged"] = judge(told, options.sets)
    found["judged"]["cannot tell"] = sorted(set(found["cells"]) - set(told))
    found["judged"]["selective"] = _hits(found["selective"]["welch 6"])
    console.print(found["judged"])
    write_whole(options.out, found)


def _hits(ps: list[float | None]) -> int:
    return int(np.sum([p is not None and p <= LEVEL + 1e-9 for p in ps]))


if __name__ == "__main__":
    main()
