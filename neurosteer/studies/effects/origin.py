"""Which neurons to edit, and which pairs were held out when they were found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from neurosteer.artefacts import RANKING
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.neurons import Direction, NeuronSet, Ranking, is_measured, joined_stats
from neurosteer.pairs import Pairs, Split
from neurosteer.progress import QUIET, Progress
from neurosteer.results import read_record
from neurosteer.results.pairs_used import PairsUsed, SplitPairs, SplitSizes
from neurosteer.results.run import FindRun
from neurosteer.store import artefact_kind
from neurosteer.studies.runs import read_run
from neurosteer.vocabulary import NOUNS, Method

from .finds import Find, FindQuery, fitting, pairs_of_find, pairs_of_given, task_of_given

if TYPE_CHECKING:
    from neurosteer.model import Model

FindNow = Callable[[Sequence[Method]], Path]  # methods -> the folder of a find made on the spot


@dataclass(frozen=True, eq=False)
class Origin:
    """Neuron sets by method, and the pairs to measure on (None where only neurons were asked for)."""

    sets: Mapping[str, NeuronSet | Direction]  # by the method of a find; of a file by what it says, or `given`
    where: str  # the run or file they come from
    task: str
    test: Pairs | None = None
    train: Pairs | None = None
    data: SplitPairs | None = None
    pairs: Pairs | None = None  # all of the task
    limit: int | None = None  # how many of each task were asked for
    split: Split | None = None
    rankings: Mapping[str, Ranking] = field(default_factory=dict)  # that the sets head, where they are known


def neurons_from(
    model: Model,
    wanted: FindQuery,
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

    found, other = fitting(wanted, model, out=out, progress=progress)
    if found is None and find_now is not None:
        folder = find_now(wanted.methods or ())
        run = read_record(FindRun, read_run(folder))
        found = Find(folder, run, run.results[0])
    if found is None and other is not None:
        check_specials(model, vars(other.run.model), f"the neurons of {other.folder} were")
    if found is None:
        asked = f" of {wanted.task}" if wanted.task else ""
        raise InputError(
            f"no `neurosteer find`{asked} with {model.name} (and this BOS and EOS){wanted.as_options()} in '{out}' "
            "to take neurons from; run one first, or give --task NAME or --neurons FILE"
        )
    return _from_run(found, wanted, pairs)


def _from_run(found: Find, wanted: FindQuery, pairs: bool) -> Origin:
    task, folder = found.task, str(found.folder)
    methods = wanted.methods or task.methods[:1]
    rankings: dict[str, Ranking] = {
        method: Ranking.load(found.folder / Path(task.rankings[method]).name) for method in methods
    }
    sets = {method: _set_of(ranking, wanted, task.k) for method, ranking in rankings.items()}
    if not pairs:
        return Origin(sets, folder, task.task)
    parted = pairs_of_find(found, wanted)
    parts = parted.split()
    known = (parts.test, parts.train, task.data, parted.pairs, parted.limit, parts, rankings)
    return Origin(sets, folder, task.task, *known)


def _set_of(ranking: Ranking, wanted: FindQuery, topk: int | str) -> NeuronSet:
    """As many as were asked for; else as many as the search itself chose; else so many."""
    if wanted.topk is not None:
        return ranking.top(wanted.topk, wanted.layers)
    return ranking.suggested(topk, wanted.layers)


def _from_given(
    model: Model, given: Path | Sequence[tuple[int, int]], wanted: FindQuery, pairs: bool, progress: Progress
) -> Origin:
    from neurosteer.forward import check_neurons

    ranking = None
    if isinstance(given, Path):
        file, (neurons, ranking) = str(given), _read(given, wanted)
        check_neurons(model, neurons, f"{file}: these neurons")
        if wanted.by not in (None, neurons.by):
            raise InputError(f"--by {wanted.by}: {file} is of {NOUNS[neurons.by]}s; leave --by out")
    else:
        file, neurons = "--neurons", NeuronSet.of(model, given, by=wanted.by or "unit")
    return with_pairs(model, neurons, file, wanted, ranking, pairs=pairs, progress=progress)


def with_pairs(
    model: Model,
    neurons: NeuronSet,
    file: str,
    wanted: FindQuery,
    ranking: Ranking | None = None,
    *,
    pairs: bool,
    progress: Progress,
) -> Origin:
    """Given neurons, measured where nobody has, and with `pairs` those of their task."""
    metadata = neurons.metadata
    task, method = task_of_given(file, metadata, wanted), str(metadata.get("method") or "given")
    if not pairs:
        return Origin({method: neurons}, file, task)
    parted = pairs_of_given(file, metadata, wanted)
    again, parts = parted.pairs, parted.split()
    data = SplitPairs(**vars(PairsUsed.of(again)), split=SplitSizes.of(parts))
    neurons = _measured(model, neurons, parts.train, progress)
    rankings = {} if ranking is None else {method: replace(ranking, stats=neurons.stats)}
    known = (parts.test, parts.train, data, again, parted.limit, parts, rankings)
    return Origin({method: neurons}, file, task, *known)


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


def _read(file: Path, wanted: FindQuery) -> tuple[NeuronSet, Ranking | None]:
    """A neuron set as it is, or the top of a ranking, and that ranking."""
    try:
        if artefact_kind(file) == RANKING.kind:
            ranking = Ranking.load(file)
            return _set_of(ranking, wanted, "1%"), ranking
        neurons = NeuronSet.load(file)
    except CorruptFileError as error:
        raise InputError(str(error)) from None
    if wanted.topk is not None or wanted.layers is not None:
        option = "--topk" if wanted.topk is not None else "--layers"
        raise InputError(f"{option} with a neuron set: {file} already says which neurons; leave {option} out")
    return neurons, None
