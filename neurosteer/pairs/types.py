"""Pair, Pairs and Split: minimal pairs as data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from neurosteer.errors import InputError, did_you_mean
from neurosteer.vocabulary import SplitKind

from .baselines import Baselines, Tokenise, fit_baselines
from .lexical import split_by_part, split_by_word
from .once import NOTHING, LeftOut, both_ways, remarks
from .splitting import PARTS, Sentences, split_by_pair

_SPLITTERS = {"pair": split_by_pair, "lexical": split_by_word}


@dataclass(frozen=True)
class Pair:
    good: str
    bad: str
    id: str
    item: str = ""  # pairs of one item are never parted
    part: str = ""  # of a lexical split, if the pair was made for one: no other part has its words
    frame: str = ""  # of a balanced item: first or second


@dataclass(frozen=True)
class Pairs:
    """The minimal pairs of one task, in the order of their source."""

    task: str
    source: str
    pairs: tuple[Pair, ...]
    phenomenon: str | None = None
    left_out: LeftOut = NOTHING  # what the source holds beside them

    def __repr__(self) -> str:
        return f"Pairs({self.task!r}, {len(self)} pairs of {self.source!r})"

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of [good, bad, id] of all pairs in order, and of nothing else."""
        rows = [[pair.good, pair.bad, pair.id] for pair in self.pairs]
        return hashlib.sha256(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()

    @property
    def sentences(self) -> list[Sentences]:
        """(good, bad) of every pair."""
        return [(pair.good, pair.bad) for pair in self.pairs]

    def limit(self, n: int | None) -> Pairs:
        """The first n pairs; all for None or when there are no more. Raises InputError for n below 1."""
        if n is not None and n < 1:
            raise InputError(f"the limit must be at least 1 pair, not {n}")
        return replace(self, pairs=self.pairs[:n])

    def take(self, indices: Sequence[int]) -> Pairs:
        """The pairs at these positions, in this order."""
        return replace(self, pairs=tuple(self.pairs[index] for index in indices))

    def split(self, kind: SplitKind = "pair", seed: int = 0) -> Split:
        """Train, validation and test, 60/20/20; the same for the same pairs, task, kind and seed.

        `pair` keeps only pairs that share a sentence or an item together; `lexical` also keeps the words that make
        the contrast apart and drops pairs that straddle (built-in pairs are made in parts that share no such words:
        there it is those, whatever the seed). Raises InputError for an unknown kind or too few pairs,
        LexicalSplitError where the task's words allow no lexical split.
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
        """What a bag of words knows, fitted and judged on a split; by default by pair with seed 0.

        With `tokenise` (sentences to token ids, without BOS and EOS) also what a bag of tokens knows.
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
        }

    def remarks(self, same_tokens: int = 0) -> list[str]:
        """One line on pairs left out or kept in doubt; none where there are no such pairs.

        `same_tokens` is how many of the pairs are the same tokens to a model.
        """
        return remarks(self.task, self.sentences, self.left_out, same_tokens)


@dataclass(frozen=True)
class Split:
    """Three disjoint parts of some pairs; unpacks as `train, validation, test`."""

    kind: SplitKind
    seed: int
    train: Pairs
    validation: Pairs
    test: Pairs
    indices: dict[str, tuple[int, ...]]  # part -> positions of its pairs in what was split
    dropped: int

    def __iter__(self) -> Iterator[Pairs]:
        return iter((self.train, self.validation, self.test))


def sentence_hashes(pairs: Iterable[Pair]) -> list[str]:
    """Sorted short SHA-256 hashes (16 hex digits) of the distinct sentences, to notice one seen before."""
    sentences = {sentence for pair in pairs for sentence in (pair.good, pair.bad)}
    return sorted(hashlib.sha256(sentence.encode()).hexdigest()[:16] for sentence in sentences)
