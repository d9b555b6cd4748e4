"""Which neurons to edit, and which pairs were kept from their finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.artefacts import RANKING
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.neurons import NeuronSet, Ranking, is_measured, joined_stats
from neurosteer.pairs import NAMED, OF_AUTO, Pairs, Split, load_pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.results import read_record
from neurosteer.results.pairs_used import PairsUsed, SplitPairs, SplitSizes
from neurosteer.results.run import FindOptions, FindRun, FoundTask
from neurosteer.store import artefact_kind
from neurosteer.studies.runs import read_run, runs
from neurosteer.vocabulary import COLUMNS, Columns, Method, SplitKind

if TYPE_CHECKING:
    from neurosteer.model import Model

FindNow = Callable[[Sequence[Method]], Path]  # methods -> the folder of a find made on the spot


@dataclass(frozen=True)
class Wanted:
    """What the user asked for; None leaves it to the find."""

    task: str | None = None
    methods: tuple[Method, ...] | None = None
    topk: str | None = None
    layers: str | Sequence[int] | None = None
    source: str | None = None
    split: SplitKind | None = None
    seed: int | None = None
    limit: int | None = None
    columns: Columns | None = None
    layout: str | None = None
    offline: bool = False

    def fits(self, found: FoundTask, options: FindOptions) -> bool:
        """Whether a find answers what was asked."""
        split, source = found.data.split, found.data.source
        asked = (
            (self.task, found.task),
            (None if self.source == "auto" and source in OF_AUTO else _place(self.source), _place(source)),
            (self.split, split and split.kind),
            (self.seed, split and split.seed),
            (self.limit, options.limit),
            (self.columns, options.columns),
            (self.layout, options.layout),
        )
        same = all(wanted is None or wanted == has for wanted, has in asked)
        return same and set(self.methods or ()) <= set(found.rankings)

    def as_options(self) -> str:
        """What a find has to answer beside the task, as it is typed."""
        columns = self.columns and ",".join(self.columns)
        single = {
            "data": self.source,
            "split": self.split,
            "seed": self.seed,
            "limit": self.limit,
            "columns": columns,
            "layout": self.layout,
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

    sets: Mapping[str, NeuronSet]  # by the method of a find; of a file by what it says, or `given`
    where: str  # the run or file they come from
    task: str
    test: Pairs | None = None
    train: Pairs | None = None
    data: SplitPairs | None = None
    pairs: Pairs | None = None  # all of the task
    split: Split | None = None
    rankings: Mapping[str, Ranking] = field(default_factory=dict)  # that the sets head, where they are known


def neurons_from(
    model: Model,
    wanted: Wanted,
    *,
    out: Path,
    given: Path | Sequence[tuple[int, int]] | None = None,
    find_now: FindNow | None = None,
    pairs: bool = True,
    progress: Progress = QUIET,
) -> Origin:
    """As they are `given` (a file, or neurons), else from the newest fitting `find` of this model below `out`, else
    from one made by `find_now`.

    Raises `InputError` for a file of another kind or model, for pairs that have changed since the find, and where
    there is nothing to take neurons from.
    """
    if given is not None:
        return _from_given(model, given, wanted, pairs, progress)
    from neurosteer.model import check_specials

    own = model.describe()
    found, other = None, None
    for one in _finds(out, wanted, progress):
        used = one.run.model
        if used.fingerprint == model.fingerprint:
            if (used.bos, used.eos) == (own["bos"], own["eos"]):
                found = one
                break
            other = other or one
    if found is None and find_now is not None:
        folder = find_now(wanted.methods or ())
        run = read_record(FindRun, read_run(folder))
        found = _Find(folder, run, run.results[0])
    if found is None and other is not None:
        check_specials(model, vars(other.run.model), f"the neurons of {other.folder} were")
    if found is None:
        asked = f" of {wanted.task}" if wanted.task else ""
        raise InputError(
            f"no `neurosteer find`{asked} with {model.name} (and this BOS and EOS){wanted.as_options()} in '{out}' "
            "to take neurons from; run one first, or give --task NAME or --neurons FILE"
        )
    return _from_run(found, wanted, pairs)


@dataclass(frozen=True)
class _Find:
    """One task of a run of `find`."""

    folder: Path
    run: FindRun
    task: FoundTask


def _finds(out: Path, wanted: Wanted, progress: Progress) -> Iterator[_Find]:
    """The sound finds that answer what was asked, of any model, newest first."""
    for row in runs(out, progress):
        if row.command != "find":
            continue
        try:
            run = read_record(FindRun, read_run(Path(row.path)))
        except (OSError, ValueError):
            continue  # just being replaced, or of another version
        for task in run.results:
            if wanted.fits(task, run.options):
                yield _Find(Path(row.path), run, task)


@dataclass(frozen=True)
class ModelAsked:
    """How the model of a find was asked for."""

    name: str
    revision: str | None
    bos: str | None
    eos: str | None


def model_of_newest_find(wanted: Wanted, *, out: Path) -> ModelAsked | None:
    """The model of the newest find that answers what was asked; None where there is none."""
    found = next(_finds(out, wanted, QUIET), None)
    if found is None:
        return None
    options, used = found.run.options, found.run.model
    name, revision = options.model or used.name, options.revision or used.revision
    return ModelAsked(name, revision, options.bos, options.eos)


def _from_run(found: _Find, wanted: Wanted, pairs: bool) -> Origin:
    task, options, folder = found.task, found.run.options, str(found.folder)
    methods = wanted.methods or task.methods[:1]
    rankings: dict[str, Ranking] = {
        method: Ranking.load(found.folder / Path(task.rankings[method]).name) for method in methods
    }
    sets = {method: ranking.top(wanted.topk or task.k, wanted.layers) for method, ranking in rankings.items()}
    if not pairs:
        return Origin(sets, folder, task.task)
    split = task.data.split
    assert split is not None
    again = load_pairs(
        task.task,
        source=task.data.source,
        limit=options.limit,
        seed=split.seed,
        columns=options.columns or COLUMNS,
        layout=options.layout,
        offline=wanted.offline,
    )
    if again.digest != task.data.digest:
        raise InputError(
            f"the pairs of {task.task} in '{task.data.source}' are not those that {folder} was made from; "
            "run `neurosteer find` again"
        )
    parts = again.split(split.kind, split.seed)
    return Origin(sets, folder, task.task, parts.test, parts.train, task.data, again, parts, rankings)


def _from_given(
    model: Model, given: Path | Sequence[tuple[int, int]], wanted: Wanted, pairs: bool, progress: Progress
) -> Origin:
    from neurosteer.forward import check_neurons

    ranking = None
    if isinstance(given, Path):
        file, (neurons, ranking) = str(given), _read(given, wanted)
        check_neurons(model, neurons, f"{file}: these neurons")
    else:
        file, neurons = "--neurons", NeuronSet.of(model, given)
    metadata = neurons.metadata
    task = wanted.task or metadata.get("task")
    method = str(metadata.get("method") or "given")
    if task is None:
        raise InputError(f"{file} does not say which task it is about; give --task NAME")
    if not pairs:
        return Origin({method: neurons}, file, task)
    own_split = metadata.get("split") in ("pair", "lexical")
    kind: SplitKind = wanted.split or (metadata["split"] if own_split else "pair")
    source = wanted.source or metadata.get("source") or "auto"
    columns = wanted.columns or COLUMNS
    seed = wanted.seed if wanted.seed is not None else metadata.get("seed", 0)
    same_source = wanted.columns is None and _place(source) == _place(metadata.get("source"))
    layout, limit = wanted.layout or (same_source and metadata.get("layout")) or "auto", wanted.limit
    again = load_pairs(
        task, source=source, limit=limit, seed=seed, columns=columns, layout=layout, offline=wanted.offline
    )
    same = (task, _place(again.source)) == (metadata.get("task"), _place(metadata.get("source")))
    if same and own_split and metadata.get("pairs") != again.digest:
        raise InputError(
            f"{file} was found on other pairs of {task} than these {len(again)} of '{again.source}'; give the "
            "--data, --limit, --columns and --layout of that find"
        )
    parts = again.split(kind, seed)
    data = SplitPairs(**vars(PairsUsed.of(again)), split=SplitSizes.of(parts))
    neurons = _measured(model, neurons, parts.train, progress)
    rankings = {} if ranking is None else {method: replace(ranking, stats=neurons.stats)}
    return Origin({method: neurons}, file, task, parts.test, parts.train, data, again, parts, rankings)


def _measured(model: Model, neurons: NeuronSet, train: Pairs, progress: Progress) -> NeuronSet:
    """The same with the statistics of every layer that nobody has measured before, on the train pairs."""
    measured = is_measured(neurons.stats).tolist()
    layers = [layer for layer, known in zip(neurons.stats.layers, measured, strict=True) if not known]
    if not layers:
        return neurons
    from neurosteer.forward import states_and_stats

    everyone = range(len(train))
    _, stats = states_and_stats(
        model, train, everyone, site=neurons.site, layers=layers, position="eos", progress=progress
    )
    return replace(neurons, stats=joined_stats(neurons.stats, stats))


def _read(file: Path, wanted: Wanted) -> tuple[NeuronSet, Ranking | None]:
    """A neuron set as it is, or the top of a ranking, and that ranking."""
    try:
        if artefact_kind(file) == RANKING.kind:
            ranking = Ranking.load(file)
            return ranking.top(wanted.topk or "1%", wanted.layers), ranking
        neurons = NeuronSet.load(file)
    except CorruptFileError as error:
        raise InputError(str(error)) from None
    if wanted.topk is not None or wanted.layers is not None:
        option = "--topk" if wanted.topk is not None else "--layers"
        raise InputError(f"{option} with a neuron set: {file} already says which neurons; leave {option} out")
    return neurons, None
