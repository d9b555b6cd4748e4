"""One ablation and its matched controls: neurosteer beside the plain TransformerLens loop, taking turns.

    pip install -e ".[bench]"
    python recipes/benchmarks/ablation.py --data FOLDER_OF_BLIMP_FILES --task intransitive

The loop is `run_with_hooks` on right-padded batches of 32 with an attention mask, once unedited and once for each
neuron set: it computes all blocks and all logits every time. Both use the same loaded model and the same neuron sets.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

import torch
from rich.console import Console

import neurosteer as ns
from neurosteer.forward import from_parting, pairs_of_texts, score_texts, variant_of
from neurosteer.forward.forest import plan
from neurosteer.forward.loop import packing_for
from neurosteer.model import Model, encode
from neurosteer.neurons import NeuronSet
from neurosteer.pairs import Pairs


def padded_loop(
    model: Model, sequences: Sequence[Sequence[int]], sets: Sequence[NeuronSet], layer: int, batch: int
) -> torch.Tensor:
    """Margins `[run, pair]`: unedited, then with each set ablated to zero at every token but BOS."""
    runs = []
    for chosen in (None, *sets):
        hooks = []
        if chosen is not None:
            units = chosen.units.to(model.device)

            def ablate(values: torch.Tensor, hook: object, units: torch.Tensor = units) -> torch.Tensor:
                values = values.clone()
                values[:, 1:, units] = 0
                return values

            hooks = [(f"blocks.{layer}.hook_out", ablate)]
        totals = []
        for start in range(0, len(sequences), batch):
            chunk = sequences[start : start + batch]
            ids = torch.zeros(len(chunk), max(map(len, chunk)), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, sequence in enumerate(chunk):
                ids[row, : len(sequence)] = torch.tensor(sequence)
                mask[row, : len(sequence)] = 1
            with torch.no_grad():
                logits = model.bridge.run_with_hooks(
                    ids.to(model.device), attention_mask=mask.to(model.device), fwd_hooks=hooks, return_type="logits"
                )
            logprobs = logits[:, :-1].float().log_softmax(-1)
            picked = logprobs.gather(2, ids[:, 1:, None].to(model.device))[..., 0].cpu() * mask[:, 1:]
            totals.append(picked.double().sum(1))
        sides = torch.cat(totals).unflatten(0, (-1, 2))
        runs.append(sides[:, 0] - sides[:, 1])
    return torch.stack(runs)


def ours(model: Model, pairs: Pairs, sets: Sequence[NeuronSet]) -> torch.Tensor:
    """The same from one sweep."""
    variants = [variant_of(model, ns.Edit.ablate(chosen)) for chosen in sets]
    found = score_texts(model, from_parting(pairs_of_texts(model, pairs, "sum")), variants)
    totals = torch.cat([found.clean[None], found.edited]).unflatten(1, (-1, 2))
    return totals[..., 0] - totals[..., 1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="blimp", help="as in neurosteer find")
    parser.add_argument("--task", default="intransitive")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--layer", type=int, help="edited; the middle one by default")
    parser.add_argument("--controls", type=int, default=19)
    parser.add_argument("--pairs", type=int, default=1000, help="of which a fifth are test pairs")
    parser.add_argument("--batch", type=int, default=32, help="of the loop")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

    model = ns.load_model(options.model, dtype=options.dtype)
    train, _, test = ns.load_pairs(options.task, source=options.data, n=options.pairs).split()
    layer = model.n_layers // 2 if options.layer is None else options.layer
    ranking = ns.rank_neurons(model, train, layers=[layer])
    top = ranking.top(40, layers=layer)
    sets = [top, *ranking.controls(top, options.controls)]
    sequences = encode(model, [s for pair in test for s in (pair.good, pair.bad)], position="last")
    ours(model, test.limit(4), sets[:1])
    padded_loop(model, sequences[:8], sets[:1], layer, options.batch)
    seconds: dict[str, list[float]] = {"run_with_hooks, padded": [], "neurosteer": []}
    margins: dict[str, torch.Tensor] = {}
    jobs = {
        "run_with_hooks, padded": lambda: padded_loop(model, sequences, sets, layer, options.batch),
        "neurosteer": lambda: ours(model, test, sets),
    }
    for _ in range(options.repeats):
        for name, job in jobs.items():
            start = time.perf_counter()
            margins[name] = job()
            seconds[name].append(time.perf_counter() - start)

    loop, own = seconds.values()
    ratios = [a / b for a, b in zip(loop, own, strict=True)]
    console = Console()
    console.print(f"{model!r}, {options.task}: {len(test)} test pairs, layer {layer}, {len(sets)} sets of {len(top)}")
    for name, times in seconds.items():
        console.print(f"{name:<24} {statistics.median(times):8.1f} s (median of {len(times)})")
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    console.print(f"ratio {statistics.median(ratios):.2f} (median of the turns; {spread})")
    padded = sum(
        len(chunk) * max(map(len, chunk))
        for chunk in (sequences[i : i + options.batch] for i in range(0, len(sequences), options.batch))
    )
    packs = plan([[s[:-1] for s in sequences[i : i + 2]] for i in range(0, len(sequences), 2)], packing_for(model))
    console.print(f"tokens of a full pass: {padded:,} padded, {sum(pack.computed for pack in packs):,} in the forest")
    a, b = margins.values()
    console.print(f"largest difference of a margin {float((a - b).abs().max()):.1e} nat")


if __name__ == "__main__":
    main()
