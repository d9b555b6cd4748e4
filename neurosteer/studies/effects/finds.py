"""The finds that a command may take its neurons from. Nothing slow is imported here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neurosteer.errors import InputError
from neurosteer.model.known import ModelRequest
from neurosteer.pairs import NAMED, OF_AUTO, Pairs, Split, load_pairs
from neurosteer.progress import QUIET, Progress
from neurosteer.results import read_record
from neurosteer.results.run import FindOptions, FindRun, FoundTask
from neurosteer.studies.earlier_runs import Described
from neurosteer.studies.runs import read_run, runs
from neurosteer.vocabulary import COLUMNS, Columns, Grain, Json, Method, SplitKind


@dataclass(frozen=True)
class FindQuery:
    """What the user asked for; None leaves it to the find."""

    task: str | None = None
    methods: tuple[Method, ...] | None = None
    topk: str | None = None
    layers: Literal["all"] | Sequence[int] | None = None
    by: Grain | None = None
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
            (None if self.source == "auto" and source in OF_AUTO else place_of(self.source), place_of(source)),
            (self.split, split and split.kind),
            (self.seed, split and split.seed),
            (self.limit, options.limit),
            (self.by, found.by),
            (self.columns, options.columns),
            (self.layout, options.layout),
        )
        same = all(wanted is None or wanted == has for wanted, has in asked)
        return same and set(self.methods or ()) <= set(found.rankings)

    def as_options(self) -> str:
        """What a find has to answer beside the task, as it is typed."""
        columns = self.columns and ",".join(self.columns)
        single = {
            "by": self.by,
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


def place_of(source: str | None) -> str | None:
    """A source, however its path is spelt; a name is none, even where a folder is called the same."""
    if source is None or source in NAMED or not Path(source).exists():
        return source
    return str(Path(source).resolve())


@dataclass(frozen=True)
class Find:
    """One task of a run of `find`."""

    folder: Path
    run: FindRun
    task: FoundTask


def fitting(
    wanted: FindQuery, model: Described, *, out: Path, progress: Progress = QUIET
) -> tuple[Find | None, Find | None]:
    """The newest find of a model that answers what was asked; and one of the same weights under another BOS or EOS,
    if it stands before that.
    """
    own, other = model.describe(), None
    for one in finds(out, wanted, progress):
        used = one.run.model
        if used.fingerprint == own.fingerprint:
            if (used.bos, used.eos) == (own.bos, own.eos):
                return one, other
            other = other or one
    return None, other


@dataclass(frozen=True)
class Parted:
    """The pairs of a task, and how they are split."""

    pairs: Pairs
    kind: SplitKind
    seed: int
    limit: int | None  # that was asked for, of this task and so of others

    def split(self) -> Split:
        """Train, validation and test."""
        return self.pairs.split(self.kind, self.seed)


def pairs_of_find(found: Find, wanted: FindQuery) -> Parted:
    """The pairs that a find was made on. Raises `InputError` where they have changed."""
    task, options, split = found.task, found.run.options, found.task.data.split
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
            f"the pairs of {task.task} in '{task.data.source}' are not those that {found.folder} was made from; "
            "run `neurosteer find` again"
        )
    return Parted(again, split.kind, split.seed, options.limit)


def pairs_of_given(given: str, metadata: Mapping[str, Json], wanted: FindQuery) -> Parted:
    """The pairs for neurons that were given, as their file says (`metadata`) where nothing else is asked.

    Raises `InputError` where it does not say which, or they have changed.
    """
    task = task_of_given(given, metadata, wanted)
    own_split = metadata.get("split") in ("pair", "lexical")
    kind: SplitKind = wanted.split or (metadata["split"] if own_split else "pair")
    source = wanted.source or metadata.get("source") or "auto"
    columns = wanted.columns or COLUMNS
    seed = wanted.seed if wanted.seed is not None else metadata.get("seed", 0)
    same_source = wanted.columns is None and place_of(source) == place_of(metadata.get("source"))
    layout, limit = wanted.layout or (same_source and metadata.get("layout")) or "auto", wanted.limit
    again = load_pairs(
        task, source=source, limit=limit, seed=seed, columns=columns, layout=layout, offline=wanted.offline
    )
    same = (task, place_of(again.source)) == (metadata.get("task"), place_of(metadata.get("source")))
    if same and own_split and metadata.get("pairs") != again.digest:
        raise InputError(
            f"{given} was found on other pairs of {task} than these {len(again)} of '{again.source}'; give the "
            "--data, --limit, --columns and --layout of that find"
        )
    return Parted(again, kind, seed, limit)


def task_of_given(given: str, metadata: Mapping[str, Json], wanted: FindQuery) -> str:
    """The task that was asked for, or that neurons say they are about. Raises `InputError` where there is neither."""
    task = wanted.task or metadata.get("task")
    if task is None:
        raise InputError(f"{given} does not say which task it is about; give --task NAME")
    return str(task)


def finds(out: Path, wanted: FindQuery, progress: Progress) -> Iterator[Find]:
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
                yield Find(Path(row.path), run, task)


def model_of_newest_find(wanted: FindQuery, *, out: Path) -> ModelRequest | None:
    """The model of the newest find that answers what was asked; None where there is none."""
    found = next(finds(out, wanted, QUIET), None)
    if found is None:
        return None
    options, used = found.run.options, found.run.model
    name, revision = options.model or used.name, options.revision or used.revision
    return ModelRequest(name, revision, bos=options.bos, eos=options.eos)
