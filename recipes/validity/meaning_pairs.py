"""How often a model prefers the right sentence of the pairs about meaning, with 95 % intervals over items.

pip install -e ".[bench]"
python recipes/validity/meaning_pairs.py
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console

import neurosteer as ns
from neurosteer.meaning import MEANING_TASKS
from neurosteer.studies.bootstrap import groups_in, pair_intervals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2-135m")
    options = parser.parse_args()

    model, console = ns.load_model(options.model), Console()
    for task in MEANING_TASKS:
        pairs = ns.load_pairs(task, source="builtin:meaning")
        margin = np.asarray(ns.score(model, pairs).margin, dtype=float)
        right = (margin > 0).astype(float)[None]
        [(low, high)] = pair_intervals(right, task=task, seed=0, groups=groups_in(pairs))
        below = " (not clearly over half)" if low <= 0.5 else ""
        console.print(f"{task:<18} {right.mean():.3f} [{low:.3f}, {high:.3f}], margin {margin.mean():.2f}{below}")


if __name__ == "__main__":
    main()
