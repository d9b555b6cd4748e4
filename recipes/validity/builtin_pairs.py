"""Are the built-in pairs like BLiMP's? The accuracy of a model on both, paradigm by paradigm.

pip install -e ".[bench]"
python recipes/validity/builtin_pairs.py --data FOLDER_OF_BLIMP_FILES
"""

from __future__ import annotations

import argparse

from rich.console import Console
from scipy.stats import spearmanr

import neurosteer as ns
from neurosteer.pairs import TASKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--pairs", type=int, default=100, help="of each paradigm and source")
    options = parser.parse_args()

    model, console = ns.load_model(options.model), Console()
    theirs: list[float] = []
    ours: list[float] = []
    for task in TASKS:
        for place, accuracies in ((options.data, theirs), ("builtin", ours)):
            pairs = ns.load_pairs(task.uid, source=place, limit=options.pairs)
            accuracies.append(float(ns.score(model, pairs).accuracy))
        console.print(f"{task.uid:<52} BLiMP {theirs[-1]:.2f}  built-in {ours[-1]:.2f}")
    gaps = {task.uid: abs(a - b) for task, a, b in zip(TASKS, theirs, ours, strict=True)}
    widest = max(gaps, key=gaps.__getitem__)
    console.print(f"mean {sum(theirs) / len(theirs):.3f} and {sum(ours) / len(ours):.3f}")
    console.print(f"Spearman {spearmanr(theirs, ours).statistic:.2f}; widest gap {gaps[widest]:.2f} ({widest})")


if __name__ == "__main__":
    main()
