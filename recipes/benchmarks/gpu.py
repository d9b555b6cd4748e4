"""EOS states of all 134,000 BLiMP sentences by a Llama-3-8B-shaped model with random weights, in bfloat16 on a GPU.

    python -m recipes.benchmarks.gpu --data FOLDER_OF_BLIMP_FILES
    python -m recipes.benchmarks.gpu --data FOLDER --tiny      # the same path with a small model, on a CPU too

Prints tokens per second (distinct prefixes, nothing padded), sentences per second, the share of what plain products
of the model's own shapes reach in the same run, and peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

import neurosteer as ns
from neurosteer.pairs import TASKS

from .ceiling import matrices_of, products_of
from .random_model import SHAPES, random_model
from .setup import computed, in_one_line, positive, sequences_of

TARGET = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m recipes.benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--pairs", type=positive, default=1000, help="of each task")
    parser.add_argument("--tiny", action="store_true", help="a small model, wherever there is room")
    parser.add_argument("--tokenizer", type=Path, help="folder of another tokenizer than the built-in model's")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not options.tiny:
        parser.error("no GPU here; --tiny runs the same with a small model")
    with in_one_line(parser):
        tasks = [ns.load_pairs(task.uid, source=options.data, limit=options.pairs) for task in TASKS]
        shape = SHAPES["random:tiny" if options.tiny else "random:llama-3-8b"]
        model = random_model(shape, dtype="bfloat16", device=device, tokenizer=options.tokenizer)
    flops, products = 2.0 * sum(m.numel() for m in matrices_of(model)), products_of(model)
    ns.eos_states(model, tasks[0].limit(50), cache=False)  # warm
    tokens, seconds, sentences, ceilings = 0, 0.0, 0, []
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    for i, pairs in enumerate(tasks):
        start = time.perf_counter()
        ns.eos_states(model, pairs, cache=False)
        seconds += time.perf_counter() - start  # states end on the CPU, so the GPU is done
        tokens += computed(model, sequences_of(model, pairs))
        sentences += 2 * len(pairs)
        if i % 10 == 0:
            ceilings.append(products())
    ceiling = statistics.median(ceilings)
    rate = flops * tokens / seconds
    found = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "sentences": sentences,
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
        "sentences_per_second": sentences / seconds,
        "tflops": rate / 1e12,
        "products_tflops": ceiling / 1e12,
        "share": rate / ceiling,
        "target": TARGET,
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None,
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
