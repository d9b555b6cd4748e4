"""Is a set that was drawn by lot one draw among its matched controls? How often each p comes, for sets of any size.

    pip install -e ".[bench]"
    python recipes/validity/controls.py --data FOLDER_OF_BLIMP_FILES

The effect of a set is what attribution predicts: the sum over its neurons. So thousands of sets cost a minute; the
effects and the statistics by which controls are matched are those of a real model, massive units included. Judged by
the exact binomial distribution: of 400 sets, 12 to 29 may have p <= .05 (95 %), and fewer or more where several cells
are judged together (Bonferroni).
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from scipy.stats import binom, chisquare

import neurosteer as ns
from neurosteer.neurons import NeuronSet, matched_controls
from neurosteer.studies.effects.numbers import empirical_p

SIZES = (6, 40, 115)  # 1, 7 and 20 % of 576 units


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--controls", type=int, default=19)
    parser.add_argument("--sets", type=int, default=400, help="drawn by lot for each layer and size")
    options = parser.parse_args()

    model = ns.load_model(options.model)
    pairs = ns.load_pairs(options.task, source=options.data).split("pair", 0).train
    layers = [model.n_layers // 3, model.n_layers // 2, 4 * model.n_layers // 5]
    ranking = ns.rank_neurons(model, pairs, method="attribution", layers=layers)
    values, n = ranking.scores.double().numpy(), options.controls + 1
    rng = np.random.default_rng(0)

    def change(neurons: NeuronSet) -> float:
        return float(sum(values[layers.index(layer), unit] for layer, unit in neurons))

    cells, level = len(layers) * len(SIZES), int(0.05 * n) / n
    one = binom.ppf([0.025, 0.975], options.sets, level).astype(int)
    all_cells = binom.ppf([0.025 / cells, 1 - 0.025 / cells], options.sets, level).astype(int)
    console = Console()
    console.print(
        f"{model!r}: of {options.sets} sets, {one[0]} to {one[1]} with p <= .05 are due in one cell, "
        f"{all_cells[0]} to {all_cells[1]} in each of {cells}"
    )
    for layer in layers:
        for k in SIZES:
            counts, overlaps = np.zeros(n, dtype=int), []
            for seed in range(options.sets):
                units = rng.choice(values.shape[1], k, replace=False)
                chosen = ranking.pick((layer, int(unit)) for unit in units)
                controls = matched_controls(chosen, options.controls, seed)
                overlaps += [control.about["overlap"] for control in controls]
                counts[round(n * empirical_p(change(chosen), [change(control) for control in controls])) - 1] += 1
            unusual, fit = counts[: round(level * n)].sum(), chisquare(counts).pvalue
            kept = "as due" if all_cells[0] <= unusual <= all_cells[1] else "NOT as due"
            console.print(
                f"layer {layer:>2}, {k:>3} neurons: {unusual:>2} ({unusual / options.sets:.1%}), {kept}; "
                f"every p alike: chi-square p {fit:.3f}; overlap {np.mean(overlaps):.0%}"
            )


if __name__ == "__main__":
    main()
