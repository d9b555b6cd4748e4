"""Which neurons to edit, and which pairs were kept from their finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.pairs import NAMED, OF_AUTO, Pairs, load_pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.store import verify_artefact
from neurosteer.studies.runs import list_runs, read_run
from neurosteer.vocabulary import COLUMNS, Columns, Method, SplitKind

_Find = tuple[Path, dict[str, Any], dict[str, Any]]  # folder, entry, options
FindNow = Callable[[Sequence[Method]], Path]  # methods -> the folder of a find made on the spot


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; None leaves it to the find."""

    task: str | None = None
    methods: tuple[Method, ...] | None = None
    k: str | None = None
    layers: str | Sequence[int] | None = None
    source: str | None = None
    split: SplitKind | None = None
    seed: int | None = None
    limit: int | None = None
    columns: Columns | None = None
    offline: bool = False

    def fits(self, entry: Mapping[str, Any], options: Mapping[str, Any]) -> bool:
        """Whether a find answers what was asked."""
        split, found = entry["data"]["split"], entry["data"]["source"]
        asked = (
            (self.task, entry["task"]),
            (None if self.source == "auto" and found in OF_AUTO else _place(self.source), _place(found)),
            (self.split, split.get("kind")),
            (self.seed, split.get("seed")),
            (self.limit, options.get("n")),
            (self.columns and list(self.columns), options.get("columns")),
        )
        same = all(wanted is None or wanted == has for wanted, has in asked)
        return same and set(self.methods or ()) <= set(entry["rankings"])

    def told(self) -> str:
        """What a find has to answer beside the task, as it is typed."""
        columns = self.columns and ",".join(self.columns)
        single = {
            "data": self.source,
            "split": self.split,
            "seed": self.seed,
            "limit": self.limit,
            "columns": columns,
        }
        typed = [f"--method {method}" for method in self.methods or ()]
        typed += [f"--{name} {value}" for name, value in single.items() if value is not None]
        return f" and {' '.join(typed)}" if typed else ""


def _place(source: str | None) -> str | None:
    """A source, however its path is spelt; a name is none, even where a folder is called the same."""
    if source is None or source in NAMED or not Path(source).exists():
        return source
    return str(Path(source).resolve())


@dataclass(frozen=True, eq=False)
class Origin:
    """Neuron sets by method, and the pairs to measure on (None where only neurons were asked for)."""

    sets: Mapping[str, NeuronSet]
    where: str  # the run or file they come from
    task: str
    test: Pairs | None = None
    train: Pairs | None = None
    data: Mapping[str, Any] | None = None


def neurons_from(
    model: Model,
    wanted: Wanted,
    *,
    out: Path,
    file: Path | None = None,
    find_now: FindNow | None = None,
    pairs: bool = True,
    progress: Progress = QUIET,
) -> Origin:
    """From a file, else the newest fitting `find` of this model below `out`, else one made by `find_now`.

    Raises `InputError` for a file of another kind or model, for pairs that have changed since the find, and where
    there is nothing to take neurons from.
    """
    if file is not None:
        return _from_file(model, file, wanted, pairs)
    found = _newest(model, wanted, out, progress)
    if found is None and find_now is not None:
        folder = find_now(wanted.methods or ())
        found = folder, read_run(folder)["results"][0], read_run(folder)["options"]
    if found is None:
        asked = f" of {wanted.task}" if wanted.task else ""
        raise InputError(
            f"no `neurosteer find`{asked} with {model.name} (and this BOS and EOS){wanted.told()} in '{out}' to take "
            "neurons from; run one first, or give --task NAME or --neurons FILE"
        )
    return _from_run(*found, wanted, pairs)


def _newest(model: Model, wanted: Wanted, out: Path, progress: Progress) -> _Find | None:
    """The newest sound find that fits."""
    own = model.describe()
    for row in list_runs(out, progress):
        if row["command"] != "find":
            continue
        folder = Path(row["path"])
        result = read_run(folder)
        if any(result["model"].get(name) != own[name] for name in ("fingerprint", "bos", "eos")):
            continue
        for entry in result["results"]:
            if wanted.fits(entry, result.get("options", {})):
                return folder, entry, result.get("options", {})
    return None


def _from_run(folder: Path, entry: dict[str, Any], options: Mapping[str, Any], wanted: Wanted, pairs: bool) -> Origin:
    methods = wanted.methods or (entry["methods"][0],)
    rankings = {method: Ranking.load(folder / Path(entry["rankings"][method]).name) for method in methods}
    sets = {method: ranking.top(wanted.k or entry["k"], wanted.layers) for method, ranking in rankings.items()}
    if not pairs:
        return Origin(sets, str(folder), entry["task"])
    data, split = entry["data"], entry["data"]["split"]
    again = load_pairs(
        entry["task"],
        source=data["source"],
        limit=options.get("n"),
        seed=split["seed"],
        columns=tuple(options.get("columns") or COLUMNS),
        offline=wanted.offline,
    )
    if again.digest != data["digest"]:
        raise InputError(
            f"the pairs of {entry['task']} in '{data['source']}' are not those that {folder} was made from; "
            "run `neurosteer find` again"
        )
    parts = again.split(split["kind"], split["seed"])
    return Origin(sets, str(folder), entry["task"], parts.test, parts.train, data)


def _from_file(model: Model, file: Path, wanted: Wanted, pairs: bool) -> Origin:
    neurons = _read(file, wanted)
    if neurons.model != model.fingerprint:
        raise InputError(
            f"{file}: these neurons were found in another model than {model.name} "
            f"(fingerprint {neurons.model[:12]}, not {model.fingerprint[:12]})"
        )
    about = neurons.metadata
    own, theirs = model.describe(), about.get("network", {})
    for name in ("bos", "eos"):
        if name in theirs and theirs[name] != own[name]:
            raise InputError(
                f"{file}: found with token {theirs[name]} as {name.upper()}, not {own[name]}; give --{name}"
            )
    task = wanted.task or about.get("task")
    method = str(about.get("method") or "given")
    if task is None:
        raise InputError(f"{file} does not say which task it is about; give --task NAME")
    if not pairs:
        return Origin({method: neurons}, str(file), task)
    own_split = about.get("split") in ("pair", "lexical")
    kind: SplitKind = wanted.split or (about["split"] if own_split else "pair")
    source = wanted.source or about.get("source") or "auto"
    columns = wanted.columns or COLUMNS
    seed = wanted.seed if wanted.seed is not None else about.get("seed", 0)
    again = load_pairs(task, source=source, limit=wanted.limit, seed=seed, columns=columns, offline=wanted.offline)
    same = (task, _place(again.source)) == (about.get("task"), _place(about.get("source")))
    if same and own_split and about.get("pairs") != again.digest:
        raise InputError(
            f"{file} was found on other pairs of {task} than these {len(again)} of '{again.source}'; give the "
            "--data, --limit and --columns of that find"
        )
    parts = again.split(kind, seed)
    sizes = {name: len(part) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
    data = {
        "source": again.source,
        "pairs": len(again),
        "digest": again.digest,
        "split": {"kind": parts.kind, "seed": parts.seed, **sizes, "dropped": parts.dropped},
    }
    return Origin({method: neurons}, str(file), task, parts.test, parts.train, data)


def _read(file: Path, wanted: Wanted) -> NeuronSet:
    """A neuron set as it is, or the top of a ranking."""
    try:
        verify_artefact(file)
    except CorruptFileError as error:
        raise InputError(str(error)) from None
    try:
        neurons = NeuronSet.load(file)
    except InputError:
        return Ranking.load(file).top(wanted.k or "1%", wanted.layers)
    if wanted.k is not None or wanted.layers is not None:
        option = "--topk" if wanted.k is not None else "--layers"
        raise InputError(f"{option} with a neuron set: {file} already says which neurons; leave {option} out")
    return neurons
