"""What an edit costs while text is generated: steered and unsteered, in one process, taking turns.

pip install -e ".[bench]"
python recipes/benchmarks/generation.py --data FOLDER_OF_BLIMP_FILES
"""

from __future__ import annotations

import argparse
import statistics
import time

from rich.console import Console

import neurosteer as ns

PROMPTS = ["The guests have", "Every morning the", "Nobody who had seen the house", "When the rain stopped"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()

    model = ns.load_model(options.model, dtype=options.dtype)
    pairs = ns.load_pairs(options.task, source=options.data, n=50)
    ranking = ns.rank_neurons(model, pairs)
    one = ranking.top(40, layers=model.n_layers // 2)
    console = Console()
    console.print(f"{model!r}, {len(PROMPTS)} prompts, {options.tokens} new tokens")
    for name, edit in {
        "40 neurons of one layer": ns.Edit.amplify(one, by=2.0),
        "1 % of all units of all layers": ns.Edit.amplify(ranking.top("1%", layers="all"), by=1.1),
    }.items():
        plain, steered = [], []
        for turn in range(options.repeats + 1):  # the first warms up
            start = time.perf_counter()
            ns.generate(model, PROMPTS, max_new_tokens=options.tokens)
            middle = time.perf_counter()
            with ns.steering(model, edit):
                again = time.perf_counter()
                ns.generate(model, PROMPTS, max_new_tokens=options.tokens)
                end = time.perf_counter()
            if turn:
                plain.append(middle - start)
                steered.append(end - again)
        ratio = statistics.median(b / a for a, b in zip(plain, steered, strict=True))
        console.print(f"{name:<32} steered / unsteered {ratio:.3f} (median of {options.repeats} turns)")


if __name__ == "__main__":
    main()
