"""Right usage, in which type checkers find nothing but what is marked."""

from pathlib import Path

import neurosteer as ns
from neurosteer.model import load_model
from neurosteer.vocabulary import Layers, Reference, SplitKind

model: ns.Model = load_model("smollm2-135m", dtype="float32")
pairs: ns.Pairs = ns.load_pairs("intransitive", source="builtin")
train, validation, test = pairs.split("lexical", seed=1)
first: ns.Pair = next(iter(pairs))
sentences: tuple[str, str] = (first.good, first.bad)


def search(split: SplitKind, layers: Layers = "all") -> ns.Found:
    return ns.find(model, pairs, methods=("welch", "l0"), split=split, layers=layers, site="mlp_out", position="last")


def ablation(neurons: ns.NeuronSet, to: Reference) -> ns.Edit:
    return ns.Edit.ablate(neurons, to=to, where="all", reach="onward", donors=train)


found = search("pair", layers=[10, 14])
ranking: ns.Ranking = found.ranking("welch")
top = ranking.top("1%", layers="all") & ranking.top(40, layers=3)
dense: float = found.layers[0].dense

scores: ns.Scores = ns.score(model, found.test, convention="lm-eval")
share: float = scores.accuracy
effect: ns.Effect = ns.measure_effect(model, found.test, ablation(top, "resample"), controls=19, kinds=["mean"])
evidence: ns.Evidence = ns.evidence(model, found, method="attribution", topk=40, only=["necessary"], kl="auto")
needed: bool | None = evidence.tests["necessary"].holds
states: ns.EosStates = ns.eos_states(model, pairs, layers=range(3))
direction: ns.Direction = found.direction("probe", 14)
with ns.steering(model, ns.Edit.amplify(top, by=2.0, to="mean")) as applied:
    texts: list[ns.Generated] = ns.generate(model, ["The guests have", "A dog"], max_new_tokens=5)
    text: str = ns.generate(model, "The guests have").text
    count: int = applied.calls
again: ns.Found = ns.open_run("runs/mine")[0]
effect = ns.open_run("mine")[0]
evidence = ns.open_run("mine")[0]
controls = ns.open_run(ns.runs()[0], ns.Effect)[0].controls
p: float | None = controls.p if controls else None
verdict: str = ns.open_run(ns.runs()[0].path, ns.Evidence)[0].verdict
layers: int = len(ns.open_run(Path("runs") / "mine", ns.Found)[0].layers)
figures: list[Path] = ns.open_run("runs/run-fig5", ns.RecipeRun).figures
own = ns.rank_neurons(model, train, method="l0", validation=validation, l0=ns.L0Settings(start="warm", steps=400))
try:
    run: ns.RecipeRun = ns.run_recipe("fig5", out=Path("runs"), progress=ns.Progress())
except ns.InputError as error:
    code: int = error.exit_code
