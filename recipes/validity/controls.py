"""Do matched controls make sets that were drawn by lot look special? How often each p comes, for several sizes.

    pip install -e ".[bench]"
    python recipes/validity/controls.py --data FOLDER_OF_BLIMP_FILES

The effect of a set is what attribution predicts: the sum over its neurons. So thousands of sets cost a minute.
Massive units stand out for what they are, and `ablate` reports on them apart: the sets hold none.
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from scipy.stats import chisquare

import neurosteer as ns
from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.neurons.controls import massive
from neurosteer.studies.effects.numbers import empirical_p


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--controls", type=int, default=19)
    parser.add_argument("--repeats", type=int, default=1000)
    options = parser.parse_args()

    model = ns.load_model(options.model)
    pairs = ns.load_pairs(options.task, source=options.data).split("pair", 0).train
    layers = [model.n_layers // 3, model.n_layers // 2, 4 * model.n_layers // 5]
    ranking = ns.rank_neurons(model, pairs, method="attribution", layers=layers)
    values, n = ranking.scores.double().numpy(), options.controls + 1
    light = ~massive(ranking.stats).numpy()
    rng = np.random.default_rng(0)

    def change(neurons: NeuronSet) -> float:
        return float(sum(values[layers.index(layer), unit] for layer, unit in neurons))

    console = Console()
    console.print(f"{model!r}, {options.repeats} random sets each, p = 1/{n} due in {1 / n:.1%}")
    for layer in layers:
        for k in (1, 3, 6, 12, 40):
            units, counts = light[layers.index(layer)].nonzero()[0], np.zeros(n, dtype=int)
            for seed in range(options.repeats):
                chosen = ranking.pick((layer, int(u)) for u in rng.choice(units, k, replace=False))
                others = [change(control) for control in matched_controls(chosen, options.controls, seed)]
                counts[round(n * empirical_p(change(chosen), others)) - 1] += 1
            smallest, fit = counts[0] / options.repeats, chisquare(counts).pvalue
            console.print(f"layer {layer:>2}, {k:>2} neurons: p = 1/{n} in {smallest:5.1%}, chi-square p {fit:.3f}")


if __name__ == "__main__":
    main()
