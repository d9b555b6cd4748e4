"""The rooms below, faked: the command line is tested without a model and without the network."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from described import described
from made_effects import altered, make_effect
from made_evidence import make_evidence

from neurosteer.pairs import Baselines, LexicalSplitError
from neurosteer.progress import Progress
from neurosteer.results import (
    BaselineIntervals,
    FindData,
    FindIntervals,
    FindLayer,
    FindResult,
    RandomSets,
    RankedNeuron,
    read_record,
    record,
)
from neurosteer.results.effect import AppliedEdit, EffectResult
from neurosteer.results.model import ModelDescription
from neurosteer.results.pairs_used import MeasuredPairs, PairsUsed, SplitPairs, SplitSizes
from neurosteer.results.score import MeanScore, PhenomenonScore, ScoreRun, TaskScore, TokenCount
from neurosteer.studies.effects.finds import FindQuery

SPLIT = SplitSizes(kind="pair", seed=3, train=6, validation=2, test=2, dropped=0)


def result_of(task: str) -> FindResult:
    """What `find` finds in a made-up task."""
    ends = (0.0, 1.0)
    split = SplitSizes(kind="pair", seed=0, train=6, validation=2, test=2, dropped=0)
    layer = FindLayer(
        layer=0,
        dense=0.9,
        topk=0.8,
        topk_by_method={"welch": 0.8},
        random=RandomSets(mean=0.6, low=0.5, high=0.7),
        l0=None,
        spearman=None,
        significant=3,
        new_words=None,
        l2=0.1,
        intervals=FindIntervals(ends, ends, {"welch": ends}, ends, None),
    )
    return FindResult(
        task=task,
        phenomenon=None,
        data=FindData(source="fake", pairs=10, digest="d", split=split, split_new_words=None),
        site="resid_post",
        position="eos",
        width=8,
        baselines=Baselines(0.5, None, None, None, None, None),
        baselines_intervals=BaselineIntervals(None, None, None, None, None, None, None),
        baselines_new_words=None,
        baselines_new_words_intervals=None,
        layers=(layer,),
        best_layer=0,
        best_layers={"welch": 0},
        topk=2,
        methods=("welch",),
        random_equivalent=None,
        random_equivalent_interval=None,
        neurons={"welch": (RankedNeuron(0, 1, 2.0),)},
        notices=(f"a notice about {task}",),
        interpretation=f"A sentence about {task}.",
    )


def effect_of(method: str, edit: AppliedEdit) -> EffectResult:
    """What `measure_effect` says of a made-up task."""
    effect = altered(make_effect(method, controls=False), edit=edit, data__tested=2, groups=2, data__split=None)
    return altered(effect, notices=(f"a notice about {method}",), reading=f"A sentence about {method}.")


@dataclass(frozen=True)
class FakeEdit:
    """What an edit was made of."""

    kind: str
    neurons: str
    about: dict[str, Any]

    @property
    def where(self) -> str:
        return str(self.about["where"])

    @classmethod
    def ablate(cls, neurons: str, to: str, **about: Any) -> FakeEdit:
        return cls(to, neurons, {"scale": 0.0, **about})

    @classmethod
    def amplify(cls, neurons: str, by: float, *, to: str, **about: Any) -> FakeEdit:
        return cls(to, neurons, {"scale": by, **about})

    def scaled(self, scale: float) -> FakeEdit:
        return FakeEdit(self.kind, self.neurons, {**self.about, "scale": scale})

    def describe(self) -> AppliedEdit:
        about = {key: value for key, value in self.about.items() if key in ("scale", "where", "reach")}
        return read_record(AppliedEdit, {"kind": self.kind, **about, "site": "resid_post", "layers": [3], "k": 1})


class FakeNeurons(str):
    """A name, and how many neurons stand for it."""

    size = 5
    by = "unit"

    @property
    def members(self) -> range:
        return range(self.size)

    def __len__(self) -> int:
        return self.size


class FakeModel(str):
    """A name that can describe itself."""

    specials = "BOS <s>, EOS </s>"

    @property
    def name(self) -> str:
        return str(self)

    def describe(self) -> ModelDescription:
        return described(str(self))


@dataclass
class Rooms:
    """What the fakes were called with, and how they should behave."""

    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: list[str] = field(default_factory=lambda: ["intransitive"])
    unsplittable: set[str] = field(default_factory=set)
    error: BaseException | None = None
    finds: bool = False  # whether neurons_from needs a find made on the spot
    newest: Any = None  # the model of the newest find
    sizes: dict[str, int] = field(default_factory=dict)  # of the neuron sets of a method
    measures: int = 99  # how many effects are measured before the error
    effects: list[dict[str, Any]] = field(default_factory=list)  # what each measure_effect was asked
    texts: list[tuple[str, ...]] = field(default_factory=list)  # what happened to texts, in order

    def load_tasks(self, tasks: Any, **options: Any) -> list[Any]:
        del options["progress"]
        self.calls["load_tasks"] = {"tasks": tasks, **options}
        return [SimpleNamespace(task=task) for task in self.tasks]

    def load_pairs(self, task: str, **options: Any) -> Any:
        options.pop("progress", None)
        self.calls.setdefault("load_pairs", {})[task] = options
        return self._pairs(task)

    def load_others(self, pairs: Any, names: Sequence[str], **options: Any) -> list[Any]:
        self.calls["load_others"] = {"pairs": pairs, "names": tuple(names), **options}
        return [self._pairs(name) for name in names]

    def _pairs(self, task: str) -> Any:
        return SimpleNamespace(
            task=task, split=lambda kind, seed: SimpleNamespace(test=f"{kind} test pairs of {task}, seed {seed}")
        )

    def load_model(self, name: str, **options: Any) -> FakeModel:
        self.calls["load_model"] = {"name": name, **options}
        options["progress"].step("loading", 1, 2)
        return FakeModel("the model")

    def known_model(self, asked: Any, **options: Any) -> None:
        """No model was loaded before."""

    def made_before(self, question: Any, model: Any) -> None:
        raise AssertionError("of a model that nobody knows nothing was made before")

    def pairs_identity(self, pairs: Any) -> str:
        return str(pairs.task)

    def remember_run(self, question: Any, model: str, folder: Path) -> None:
        self.calls["remember_run"] = {**vars(question), "folder": folder}

    def expected_of(self, model: Any, wanted: Any, **options: Any) -> None:
        """Not known without a model's files."""

    def find(self, model: str, pairs: Any, **options: Any) -> Any:
        self.calls["find"] = options
        if self.error is not None:
            raise self.error
        if pairs.task in self.unsplittable:
            raise LexicalSplitError(f"'{pairs.task}' has too few words")
        result = result_of(pairs.task)
        for notice in result.notices:
            options["progress"].notice(notice)
        return SimpleNamespace(task=pairs.task, result=result)

    def save_find(
        self,
        model: str,
        founds: list[Any],
        *,
        out: Path,
        options: dict[str, Any],
        progress: Progress,
        skipped: Sequence[Any] = (),
    ) -> Any:
        self.calls["save_find"] = {"options": options}
        run = out / "run-1"
        run.mkdir(parents=True)
        (run / "figure.png").write_bytes(b"")
        return run, {
            "command": "find",
            "version": "0",
            "model": {},
            "results": [record(found.result) for found in founds],
            "skipped": skipped,
        }

    def neurons_from(self, model: str, wanted: Any, *, find_now: Any, **options: Any) -> Any:
        options.pop("progress")
        self.calls["neurons_from"] = {**vars(wanted), **options, "may_find": find_now is not None}
        where = str(find_now(wanted.methods or ())) if self.finds else "runs/find-1"
        sets = {method: FakeNeurons(f"neurons by {method}") for method in wanted.methods or ("welch",)}
        for method, size in self.sizes.items():
            sets[method].size = size
        if not options["pairs"]:
            return SimpleNamespace(sets=sets, where=where, task="intransitive")
        data = SplitPairs(source="fake", pairs=10, digest="d", split=SPLIT)
        test, train = ["a test pair"] * 2, ["a train pair"] * 6
        whole = {
            "pairs": "all pairs",
            "limit": wanted.limit or 40,
            "split": SPLIT,
            "rankings": {one: f"the ranking by {one}" for one in sets},
        }
        return SimpleNamespace(
            sets=sets, where=where, task="intransitive", test=test, train=train, data=data, **whole
        )

    def direction_from(self, model: str, wanted: Any, asked: Any, **options: Any) -> Any:
        self.calls["direction_from"] = asked
        return self.neurons_from(model, wanted, **options)

    def measure_effect(self, model: str, pairs: Any, edit: FakeEdit, **options: Any) -> Any:
        self.effects.append({"pairs": pairs, "edit": edit, **options})
        if self.error is not None and len(self.effects) > self.measures:
            raise self.error
        method = edit.neurons.removeprefix("neurons by ")
        return effect_of(method, edit.describe())

    def ask(self, model: str, pairs: Any, split: Any, chosen: list[Any], settings: Any, **options: Any) -> list[Any]:
        options.pop("progress")
        self.calls["ask"] = {"pairs": pairs, "split": split, "chosen": chosen, "settings": vars(settings), **options}
        if self.error is not None:
            raise self.error
        methods = [str(neurons).removeprefix("neurons by ") for neurons, _, _ in chosen]
        return [altered(make_evidence(method), data__tested=2) for method in methods]

    def Chosen(self, target: Any, ranking: Any, layers: Any) -> Any:
        return target, ranking, layers

    def layers_among(self, neurons: Any, ranking: Any, layers: Any) -> str:
        return f"among {layers}"

    def save_evidence(self, model: str, found: list[Any], **options: Any) -> Any:
        self.calls["save_evidence"] = options
        run = options["out"] / "run-4"
        run.mkdir(parents=True, exist_ok=True)
        (run / "figure.png").write_bytes(b"")
        return run, {"command": "evidence", "version": "0", "model": {}, "results": [record(one) for one in found]}

    def with_origin(self, effect: EffectResult, *, data: SplitPairs, neurons_from: str) -> EffectResult:
        whole = MeasuredPairs(**vars(data), tested=effect.data.tested)
        return altered(effect, data=whole, neurons_from=neurons_from)

    def model_of_newest_find(self, wanted: Any, **options: Any) -> Any:
        self.calls["model_of_newest_find"] = {**vars(wanted), **options}
        return self.newest

    def save_effects(self, model: str, effects: list[Any], **options: Any) -> Any:
        self.calls["save_effects"] = options
        run = options["out"] / "run-2"
        run.mkdir(parents=True, exist_ok=True)
        (run / "figure.png").write_bytes(b"")
        results = [record(effect) for effect in effects]
        return run, {"command": options["command"], "version": "0", "model": {}, "results": results}

    def score(self, model: str, pairs: Any, **options: Any) -> str:
        self.calls.setdefault("score", {})[pairs.task] = options
        if self.error is not None:
            raise self.error
        return f"scores of {pairs.task}"

    def save_scores(
        self, model: str, scored: list[Any], *, out: Path, options: dict[str, Any], progress: Progress
    ) -> Any:
        self.calls["save_scores"] = {"scored": [scores for _, scores in scored], "options": options}
        about = {"convention": "sum", "margin": 1.0, "pairs": 2, "ties": 0, "same_tokens": 0, "accuracy": 0.75}
        data, mean = PairsUsed(source="fake", pairs=2, digest="d"), {"tasks": len(scored), "accuracy": 0.75}
        count = TokenCount(differ=0.0, accuracy=0.5)
        rows = tuple(
            TaskScore(task=pairs.task, phenomenon=None, data=data, token_count=count, **about) for pairs, _ in scored
        )
        group = PhenomenonScore(phenomenon=None, **mean)
        found = ScoreRun(results=rows, phenomena=(group,), overall=MeanScore(**mean))
        (out / "run-3").mkdir(parents=True)
        return out / "run-3", found, {"command": "score", "version": "0", "model": {}, **record(found)}

    def save_texts(self, model: FakeModel, task: str, texts: list[Any], *, out: Path, **options: Any) -> Any:
        self.calls["save_texts"] = {"task": task, "out": out, **options}
        (out / "run-5").mkdir(parents=True)
        about = {
            "command": "generate",
            "version": "0",
            "model": record(model.describe()),
            "options": options["options"],
        }
        return out / "run-5", {**about, "results": [record(text) for text in texts]}

    def generate(self, model: str, prompts: list[str], **writing: Any) -> list[Any]:
        del writing["progress"]
        self.calls["generate"] = writing
        edited = self.texts[-1] if self.texts and self.texts[-1][0] == "on" else None
        self.texts.append(("generate", *prompts))
        if edited:
            self.texts.append(edited)
        return [SimpleNamespace(text=f" {'changed' if edited else 'usual'} {prompt}") for prompt in prompts]

    @contextmanager
    def steering(self, model: str, edit: FakeEdit) -> Iterator[None]:
        self.texts.append(("on", edit.neurons))
        yield
        self.texts.append(("off", edit.neurons))

    def touched_tokens(self, model: str, prompt: str, edit: FakeEdit) -> list[Any]:
        self.texts.append(("touched", prompt, edit.neurons))
        return [SimpleNamespace(text=word, id=i, touched=i > 0) for i, word in enumerate(("<s>", *prompt.split()))]

    def refuse_untouched(self, where: str, max_new_tokens: int) -> None:
        self.calls["refuse_untouched"] = {"where": where, "max_new_tokens": max_new_tokens}


FAKED = {
    "model": ["load_model", "known_model"],
    "studies": [
        *("made_before", "pairs_identity", "remember_run", "expected_of"),
        *(
            "find",
            "save_find",
            "neurons_from",
            "direction_from",
            "model_of_newest_find",
            "measure_effect",
            "with_origin",
        ),
        *("save_effects", "save_scores", "save_texts"),
    ],
    "studies.evidence": ["Chosen", "ask", "layers_among", "save_evidence"],
    "forward": ["score", "generate", "steering", "touched_tokens", "refuse_untouched"],
}


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Rooms:
    fakes = Rooms()
    for name, members in FAKED.items():
        module = ModuleType(f"neurosteer.{name}")
        for member in members:
            setattr(module, member, getattr(fakes, member))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys.modules["neurosteer.studies"], "FindQuery", FindQuery, raising=False)
    for name in ("RunRequest", "MaskSettings"):
        monkeypatch.setattr(sys.modules["neurosteer.studies"], name, SimpleNamespace, raising=False)
    monkeypatch.setattr(sys.modules["neurosteer.model"], "ModelRequest", SimpleNamespace, raising=False)
    monkeypatch.setattr(
        sys.modules["neurosteer.studies.evidence"], "EvidenceSettings", SimpleNamespace, raising=False
    )
    edits = ModuleType("neurosteer.edits")
    vars(edits)["Edit"] = FakeEdit
    monkeypatch.setitem(sys.modules, "neurosteer.edits", edits)
    for loader in ("load_tasks", "load_pairs", "load_others"):
        monkeypatch.setattr(f"neurosteer.pairs.{loader}", getattr(fakes, loader))
    monkeypatch.chdir(tmp_path)
    return fakes
