"""Pairs and Split: minimal pairs as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import COLUMNS, Columns, SplitKind

from .baselines import Baselines, Tokenise, fit_baselines
from .duplicates import NOTHING, LeftOut, both_ways, remarks
from .from_python import framed, listed
from .layout_detection import read
from .layouts import UNKNOWN, Layout
from .lexical import split_by_part, split_by_word
from .pair import Pair
from .records import check_rows
from .rows import PairRow
from .splitting import PARTS, Sentences, split_by_pair
from .tables import PairTable, Record, checked

if TYPE_CHECKING:
    import pandas as pd

_SPLITTERS = {"pair": split_by_pair, "lexical": split_by_word}


@dataclass(frozen=True)
class Pairs(Sequence[Pair]):
    """The minimal pairs of one task, in the order of their source: a sequence of `Pair`. A slice is `Pairs` again.

    Attributes:
        task: what the pairs are about: a BLiMP paradigm, or a name of your own.
        source: where they come from, as in `load_pairs(source=)`.
        pairs: the pairs.
        phenomenon: the group that the task belongs to, where the source says so.
        left_out: how many pairs of the source are not among them, because they are no evidence of their own.
        layout: how the source's rows became pairs, as `load_pairs(layout=)` takes it; "" for plain columns.

    Example:
        >>> own = ns.Pairs.from_lists(["The guests sleep.", "A dog barks."], ["The guests sleeps.", "A dog bark."])
        >>> len(own), own[0].good, own[:1], own.remarks(), own.describe()["pairs"]
        (2, 'The guests sleep.', Pairs('mine', 1 pair of 'lists'), [], 2)
        >>> ns.Pairs.from_frame(own.to_frame(), task="mine").digest == own.digest
        True
        >>> pairs.limit(30), [pair.id for pair in pairs.take([4, 0])]
        (Pairs('number', 30 pairs of 'builtin:gym'), ['4', '0'])
    """

    task: str
    source: str
    pairs: tuple[Pair, ...]
    phenomenon: str | None = None
    left_out: LeftOut = NOTHING  # what the source holds beside them
    layout: str = ""

    @classmethod
    def from_lists(
        cls, good: Iterable[str], bad: Iterable[str], *, task: str = "mine", source: str = "lists"
    ) -> Pairs:
        """Pair the sentences at the same positions of two lists. They are checked, and repeats left out, as in files.

        Args:
            good: the grammatical sentences.
            bad: the ungrammatical ones, as many.
            task: a name for what they are about. It decides the split, together with its seed.
            source: what results call the place they come from.

        Raises:
            InputError: for lists of different lengths, anything that is no sentence, and fewer than two pairs.
        """
        records = listed(good, bad)
        return cls.from_records(records, task=task, source=source, place="your list", columns=("good", "bad"))

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, *, columns: Columns = COLUMNS, task: str = "mine", source: str = "DataFrame"
    ) -> Pairs:
        """Make pairs of the rows of a pandas DataFrame, checked as those of a file are.

        The columns `pairID` and `linguistics_term` are read too if they exist, as in BLiMP's files. What `to_frame`
        wrote is read back with the same `digest`; items and parts of built-in pairs are not read.

        Args:
            frame: a row per pair.
            columns: the names of the columns with the good and the bad sentences.
            task: a name for what they are about. It decides the split, together with its seed.
            source: what results call the place they come from.

        Raises:
            InputError: for a column that is not there, anything that is no sentence, and fewer than two pairs.
        """
        records = framed(frame, columns)
        return cls.from_records(records, task=task, source=source, place="the DataFrame", columns=columns)

    @classmethod
    def from_records(
        cls, records: Iterable[Record], *, task: str, source: str, place: str, columns: Columns
    ) -> Pairs:
        """The pairs of some records (a place and a row each): one task, a pair in each."""
        reading = read(PairTable.of(place, map(checked, records)), Layout(*columns, task=""))
        return cls.from_rows(reading.tasks[""], task=task, source=source, place=place)

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[PairRow],
        *,
        task: str,
        source: str,
        place: str,
        layout: Layout = UNKNOWN,
        phenomenon: str | None = None,
    ) -> Pairs:
        """The pairs in the rows of a table; see `check_rows`."""
        found = check_rows(rows, task=task, place=place)
        pairs = tuple(Pair(*one) for one in found.pairs)
        written = "" if layout.is_plain else str(layout)
        return cls(task, source, pairs, found.phenomenon or phenomenon, found.left_out, written)

    def __repr__(self) -> str:
        return f"Pairs({self.task!r}, {len(self)} pair{'' if len(self) == 1 else 's'} of {self.source!r})"

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    @overload
    def __getitem__(self, index: int) -> Pair: ...

    @overload
    def __getitem__(self, index: slice) -> Pairs: ...

    def __getitem__(self, index: int | slice) -> Pair | Pairs:
        if isinstance(index, slice):
            return replace(self, pairs=self.pairs[index])
        return self.pairs[index]

    def to_frame(self) -> pd.DataFrame:
        """A row per pair: `sentence_good`, `sentence_bad`, `pairID`; of built-in pairs `item`, `part`, `frame`."""
        import pandas as pd

        frame = pd.DataFrame([asdict(pair) for pair in self], columns=[one.name for one in fields(Pair)])
        empty = [name for name in ("item", "part", "frame") if not frame[name].any()]
        names = dict(zip(("good", "bad", "id"), (*COLUMNS, "pairID"), strict=True))
        return frame.drop(columns=empty).rename(columns=names)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of [good, bad, id] of all pairs in order, and of nothing else."""
        rows = [[pair.good, pair.bad, pair.id] for pair in self.pairs]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

    @property
    def sentences(self) -> list[Sentences]:
        """(good, bad) of every pair."""
        return [(pair.good, pair.bad) for pair in self.pairs]

    def limit(self, limit: int | None) -> Pairs:
        """The first pairs.

        Args:
            limit: how many; None, or more than there are, is all.

        Raises:
            InputError: for a limit below 1.
        """
        if limit is not None and limit < 1:
            raise InputError(f"the limit must be at least 1 pair, not {limit}")
        return self[:limit]

    def take(self, indices: Sequence[int]) -> Pairs:
        """The pairs at some positions.

        Args:
            indices: the positions, in the order that the result has.
        """
        return replace(self, pairs=tuple(self.pairs[index] for index in indices))

    def split(self, kind: SplitKind = "pair", seed: int = 0) -> Split:
        """Split into train, validation and test (60, 20 and 20 %); the same for the same pairs, task, kind and seed.

        Args:
            kind: `pair` does not separate pairs that share a sentence or an item. `lexical` also separates the words
                that make the contrast, and drops pairs with words of two parts (built-in pairs are made in such
                parts: there these are taken, for any seed).
            seed: decides which pairs go where.

        Returns:
            A `Split`.

        Raises:
            InputError: for an unknown kind or too few pairs.
            LexicalSplitError: where the task's words allow no lexical split.

        Example:
            >>> ns.load_pairs("intransitive", source="builtin").split("lexical", seed=1)
            Split(lexical, seed 1: 600 train, 200 validation, 200 test)
        """
        if kind not in _SPLITTERS:
            known = ", ".join(_SPLITTERS)
            raise InputError(f"unknown split '{kind}'{did_you_mean(kind, _SPLITTERS)} (choose from: {known})")
        parts = [pair.part for pair in self.pairs]
        if kind == "lexical" and all(parts):
            indices = split_by_part(parts, task=self.task)
        else:
            items = [pair.item for pair in self.pairs]
            indices = _SPLITTERS[kind](self.sentences, items, task=self.task, seed=seed)
        train, validation, test = (self.take(indices[part]) for part in PARTS)
        dropped = len(self) - sum(map(len, indices.values()))
        return Split(kind, seed, train, validation, test, indices, dropped)

    def baselines(self, split: Split | None = None, tokenise: Tokenise | None = None) -> Baselines:
        """What a bag of words knows, fitted on the train part and judged on the test part of a split.

        Args:
            split: the split; None is `self.split()`: by pair, seed 0.
            tokenise: sentences to token ids, without BOS and EOS; with it also what a bag of tokens knows.

        Returns:
            Accuracies in [0, 1]; those of words are None where the script does not separate words by spaces.

        Example:
            >>> ns.load_pairs("intransitive", source="builtin:balanced").baselines().unigram  # words do not help
            0.5
        """
        split = self.split() if split is None else split
        return fit_baselines(split.train.sentences, split.test.sentences, tokenise)

    def describe(self) -> dict[str, Any]:
        """Source, number and digest of the pairs used, and what is not or only doubtful evidence, as JSON has it."""
        return {
            "source": self.source,
            "pairs": len(self),
            "digest": self.digest,
            "left_out": asdict(self.left_out),
            "both_ways": both_ways(self.sentences),
            **({"layout": self.layout} if self.layout else {}),
        }

    def remarks(self, same_tokens: int = 0) -> list[str]:
        """Name pairs that are left out, or no certain evidence.

        Args:
            same_tokens: how many of the pairs are the same tokens to a model.

        Returns:
            One line, or none.
        """
        return remarks(self.task, self.sentences, self.left_out, same_tokens)


@dataclass(frozen=True)
class Split:
    """Three disjoint parts of some pairs; unpacks as `train, validation, test`.

    Attributes:
        kind: `pair` or `lexical`.
        seed: decided which pairs are where.
        train: what probes learn from (60 %).
        validation: what chooses among them (20 %).
        test: what is reported (20 %); chooses nothing.
        indices: by part, the positions of its pairs in what was split.
        dropped: how many pairs are in no part.

    Example:
        >>> train, validation, test = pairs.split()
        >>> len(train), len(validation), len(test)
        (180, 60, 60)
    """

    kind: SplitKind
    seed: int
    train: Pairs
    validation: Pairs
    test: Pairs
    indices: dict[str, tuple[int, ...]]
    dropped: int

    @property
    def train_indices(self) -> tuple[int, ...]:
        """The positions of the train pairs in what was split."""
        return self.indices["train"]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(self.indices[part])} {part}" for part in PARTS)
        dropped = f", {self.dropped} dropped" if self.dropped else ""
        return f"Split({self.kind}, seed {self.seed}: {sizes}{dropped})"

    def __iter__(self) -> Iterator[Pairs]:
        return iter((self.train, self.validation, self.test))
