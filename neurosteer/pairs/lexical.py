"""The lexical split: no word that makes the contrast in test makes it in train or validation.

The stems of the words in which a pair's sentences differ are its keys. Every key is dealt to one part; a
group of pairs is kept if all its keys lie in one part, and dropped otherwise. Keys are dealt so that many
pairs are kept, by simulated annealing (Kirkpatrick et al. 1983) over moves of single keys. Its goal is the
sum over the parts of weight * log(1 + pairs kept, counted up to the part's share of all), with a little for
any pair kept. It sees words only, never which sentence is good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from random import Random

from neurosteer.errors import InputError

from .scripts import parts_words
from .splitting import PARTS, Indices, Sentences, generator, groups_of
from .words import contrast

LEAST_TRAIN, LEAST_VALIDATION, LEAST_TEST = 100, 20, 50
SHARES = (0.6, 0.2, 0.2)  # of PARTS, where no pair straddles
WEIGHTS = (0.45, 0.25, 0.3)  # of PARTS, where pairs do: with the shares too few test pairs would remain
RESTARTS, SWEEPS, TEMPERATURE = 8, 60, 0.01


class LexicalSplitError(InputError):
    """The task's contrast rests on too few different words to keep those of test apart."""


def split_by_word(pairs: Sequence[Sentences], items: Sequence[str], *, task: str, seed: int) -> Indices:
    """Positions of each part; positions in none are the dropped pairs.

    Pairs whose sentences hold the same words have nothing to hold out and are dropped too. Raises
    LexicalSplitError when fewer than 100 train, 20 validation or 50 test pairs would remain, and where the script
    does not part words by spaces.
    """
    if not parts_words(chain(*pairs)):
        raise LexicalSplitError(f"'{task}' allows no lexical split: its script does not part words by spaces")
    rng = generator(seed, task, "lexical")
    groups = groups_of(pairs, items)
    keys = [frozenset().union(*(contrast(*pairs[index]) for index in group)) for group in groups]
    keyed = [position for position, of_group in enumerate(keys) if of_group]
    if not keyed:
        raise LexicalSplitError(
            f"'{task}' allows no lexical split: its sentences hold the same words in another order"
        )
    deals = []
    for _ in range(RESTARTS):
        deal = _Deal([keys[i] for i in keyed], [len(groups[i]) for i in keyed], rng)
        deal.anneal(rng)
        parts: dict[str, list[int]] = {part: [] for part in PARTS}
        for position, part in zip(keyed, deal.parts(), strict=True):
            if part is not None:
                parts[PARTS[part]] += groups[position]
        deals.append((_shortage(parts) is None, deal.value(), parts))
    _, _, parts = max(deals, key=lambda deal: deal[:2])
    if shortage := _shortage(parts):
        raise LexicalSplitError(f"'{task}' allows no lexical split: {shortage}")
    return {part: tuple(sorted(parts[part])) for part in PARTS}


def split_by_part(parts: Sequence[str], *, task: str) -> Indices:
    """Positions of each part, where every pair was made for one; raises LexicalSplitError for as few pairs."""
    indices = {part: tuple(i for i, own in enumerate(parts) if own == part) for part in PARTS}
    if shortage := _shortage(indices):
        raise LexicalSplitError(f"'{task}' allows no lexical split: {shortage}")
    return indices


def _shortage(parts: Mapping[str, Sequence[int]]) -> str | None:
    train, validation, test = (len(parts[part]) for part in PARTS)
    if train >= LEAST_TRAIN and validation >= LEAST_VALIDATION and test >= LEAST_TEST:
        return None
    least = f"at least {LEAST_TRAIN}, {LEAST_VALIDATION} and {LEAST_TEST} are needed"
    return f"{train} train, {validation} validation and {test} test pairs remain ({least})"


class _Deal:
    """An assignment of keys to parts, and how many pairs it keeps in each."""

    def __init__(self, keys: Sequence[frozenset[str]], sizes: Sequence[int], rng: Random) -> None:
        self.needed = [len(of_group) for of_group in keys]
        self.groups_of: dict[str, list[tuple[int, int, int]]] = {key: [] for key in sorted(frozenset().union(*keys))}
        self.part_of = {key: rng.choices(range(len(PARTS)), SHARES)[0] for key in self.groups_of}
        self.held = [[0] * len(keys) for _ in PARTS]  # how many keys of each group lie in each part
        for group, (of_group, size, needed) in enumerate(zip(keys, sizes, self.needed, strict=True)):
            for key in of_group:
                self.groups_of[key].append((group, size, needed))
                self.held[self.part_of[key]][group] += 1
        self.kept = [
            sum(size for size, own, needed in zip(sizes, held, self.needed, strict=True) if own == needed)
            for held in self.held
        ]

        total = max(1, sum(sizes))
        self.worth = [  # of keeping 0, 1, 2, ... pairs in each part
            [weight * math.log(1 + min(kept, share * total)) + 0.1 * kept / total for kept in range(total + 1)]
            for weight, share in zip(WEIGHTS, SHARES, strict=True)
        ]

    def value(self) -> float:
        return sum(worth[kept] for worth, kept in zip(self.worth, self.kept, strict=True))

    def parts(self) -> list[int | None]:
        """The part of each group, None for the dropped."""
        groups = zip(zip(*self.held, strict=True), self.needed, strict=True)
        return [held.index(needed) if needed in held else None for held, needed in groups]

    def anneal(self, rng: Random) -> None:
        """Try to move each key in turn, again and again, while the temperature falls to zero."""
        order = list(self.groups_of)
        for sweep in range(SWEEPS):
            temperature = max(0.0, TEMPERATURE * (1 - 1.2 * sweep / SWEEPS))
            rng.shuffle(order)
            for key in order:
                self._try_move(key, (self.part_of[key] + rng.choice((1, 2))) % len(PARTS), temperature, rng)

    def _try_move(self, key: str, target: int, temperature: float, rng: Random) -> None:
        """Move one key if that is better, or if the temperature lets it pass."""
        source, groups, kept = self.part_of[key], self.groups_of[key], self.kept
        here, there, lost, won = self.held[source], self.held[target], 0, 0
        for group, size, needed in groups:
            if here[group] == needed:
                lost += size
            if there[group] + 1 == needed:
                won += size
        of_source, of_target = self.worth[source], self.worth[target]
        gain = of_source[kept[source] - lost] - of_source[kept[source]]
        gain += of_target[kept[target] + won] - of_target[kept[target]]
        if gain > 0 or (temperature > 0 and rng.random() < math.exp(gain / temperature)):
            self.part_of[key] = target
            kept[source] -= lost
            kept[target] += won
            for group, _, _ in groups:
                here[group] -= 1
                there[group] += 1
