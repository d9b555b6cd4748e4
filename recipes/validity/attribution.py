"""Does attribution predict ablation? Predicted against measured change of the mean margin, on test pairs.

    pip install -e ".[bench]"
    python recipes/validity/attribution.py --data FOLDER_OF_BLIMP_FILES --task intransitive

Ranks on train pairs, predicts and measures on test pairs: 50 single neurons spread evenly over the range of predicted
drops, and 20 sets of 40 neurons: the top of evenly spaced layers and random ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from rich.console import Console
from scipy.stats import pearsonr, spearmanr

import neurosteer as ns
from neurosteer.forward import attribute, from_first_difference, pairs_of_texts, score_texts, variant_of
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking, without_massive
from neurosteer.pairs import Pairs
from neurosteer.seeds import generator


def measured(model: Model, pairs: Pairs, sets: Sequence[NeuronSet]) -> torch.Tensor:
    """The drop of the mean margin when each set is ablated to zero."""
    variants = [variant_of(model, ns.Edit.ablate(chosen)) for chosen in sets]
    found = score_texts(model, from_first_difference(pairs_of_texts(model, pairs, "sum")), variants)
    sign = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat(len(pairs))
    return ((found.clean - found.edited) * sign).sum(1) / len(pairs)


def spread(values: torch.Tensor, n: int) -> list[int]:
    """Places of `n` values spread evenly over the range between smallest and largest."""
    order = values.sort()
    goals = torch.linspace(float(order.values[0]), float(order.values[-1]), n, dtype=values.dtype)
    chosen: list[int] = []
    for goal in goals:
        nearest = (values - goal).abs().sort().indices.tolist()
        chosen.append(next(place for place in nearest if place not in chosen))
    return chosen


def random_set(ranking: Ranking, layer: int, draw: int) -> NeuronSet:
    units = torch.randperm(ranking.scores.shape[1], generator=generator(0, "set", layer, draw))[:40]
    return ranking.pick((layer, unit) for unit in units.tolist())


def say(console: Console, name: str, rows: Sequence[tuple[NeuronSet, float, float]]) -> None:
    foretold, found = ([row[column] for row in rows] for column in (1, 2))
    r, rho = pearsonr(foretold, found).statistic, spearmanr(foretold, found).statistic
    console.print(f"{len(rows)} {name}: Pearson {r:.2f}, Spearman {rho:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=1)
    options = parser.parse_args()

    model = ns.load_model(options.model, dtype=options.dtype)
    train, _, test = ns.load_pairs(options.task, source=options.data, limit=options.pairs).split()
    ranking = ns.rank_neurons(model, train, method="attribution", steps=options.steps)
    layers = list(ranking.layers)
    predicted = attribute(model, test, site="resid_post", layers=layers, steps=options.steps).drop()
    width = predicted.shape[1]

    places = spread(predicted.flatten(), 50)
    singles = [ranking.pick([(layers[place // width], place % width)]) for place in places]
    chosen = layers[:: max(1, len(layers) // 10)][:10]
    sets = [ranking.top(40, layers=layer) for layer in chosen] + [random_set(ranking, layer, 0) for layer in chosen]

    console = Console()
    for name, group in (("single neurons", singles), ("sets of 40", sets)):
        foretold = torch.stack([sum(predicted[layers.index(layer), unit] for layer, unit in one) for one in group])
        rows = list(zip(group, foretold.tolist(), measured(model, test, group).tolist(), strict=True))
        say(console, name, rows)
        if group is singles:
            say(console, "of them not massive", [row for row in rows if len(without_massive(row[0]))])
        for one, a, b in sorted(rows, key=lambda row: row[1]):
            what = f"unit {int(one.units[0])}" if len(one) == 1 else f"{len(one)} {one.metadata['method']}"
            console.print(f"  layer {int(one.layers[0]):>2}  {what:<16} predicted {a:+8.3f}  measured {b:+8.3f}")


if __name__ == "__main__":
    main()
