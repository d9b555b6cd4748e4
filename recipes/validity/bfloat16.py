"""How far bfloat16 moves EOS states from those in float32: ours, and Hugging Face's own on the same sentences.

pip install -e ".[bench]"
python recipes/validity/bfloat16.py --data FOLDER_OF_BLIMP_FILES
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

import neurosteer as ns
from recipes.benchmarks.padded import base_states, batches
from recipes.benchmarks.setup import Setup, sequences_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--pairs", type=int, default=1000)
    options = parser.parse_args()

    full, half = (
        Setup(options.model, dtype, "auto", options.data, (options.task,), options.pairs, 1, print)
        for dtype in ("float32", "bfloat16")
    )
    pairs = full.pairs(options.task)
    exact, ours = (ns.eos_states(setup.load(), pairs).values.flatten(0, 1) for setup in (full, half))
    theirs = torch.empty_like(exact)
    for batch in batches(sequences_of(half.load(), pairs), 64, by_length=True):
        theirs[batch.places] = base_states(half.plain(), batch)
    for name, states in (("neurosteer", ours), ("Hugging Face", theirs)):
        print(f"{name}: {_told(states, exact)}")


def _told(states: Tensor, exact: Tensor) -> str:
    """How far states are from the exact ones, as shares of those; `[sentence, layer, unit]`."""
    apart = (states - exact).norm(dim=-1) / exact.norm(dim=-1)
    sentence, layer = divmod(int(apart.argmax()), apart.shape[1])
    far = int((apart > 0.2).any(dim=1).sum())
    return (
        f"median {apart.median():.4f}, largest {apart.max():.2f} (sentence {sentence} at layer {layer}), "
        f"over .2 in {far} of {len(apart):,} sentences"
    )


if __name__ == "__main__":
    main()
