"""The factorial items of one task, as readings of a model, and the swaps between their two causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from neurosteer.forward import NextToken, Places, Preferences
from neurosteer.model import Model, encode
from neurosteer.pairs.factorial import Contexts, Unfit, contexts_of, has_items, items_of
from neurosteer.seeds import generator
from neurosteer.vocabulary import Region, counted

Form = Literal["aligned", "last"]  # all tokens of both contexts answer one another, or the last ones alone
DRAWN = 200  # items that are made
USED = 100  # of them are measured, at most
FEWEST_ITEMS = 30


@dataclass(frozen=True, eq=False)
class Factorial:
    """The items of a task that are measured, with what became of the others.

    The readings of item i are 2 i (cause 1) and 2 i + 1 (cause 2).
    """

    form: Form | None  # None: too few items of either form
    items: tuple[Contexts, ...]
    drawn: int
    aligned: int
    unaligned: int
    unfit: Mapping[Unfit, int]

    @property
    def groups(self) -> list[list[NextToken]]:
        """The two readings of each item."""
        return [[NextToken(tokens, *item.outcomes) for tokens in item.tokens] for item in self.items]

    def counts(self) -> str:
        """What was dropped, in words; empty where nothing was."""
        named: dict[str, int] = {reason: count for reason, count in self.unfit.items() if count}
        if self.form == "aligned" and self.unaligned:
            named["contexts of unequal length"] = self.unaligned
        return "; ".join(f"{what}: {count}" for what, count in named.items())

    def first(self, most: int) -> Factorial:
        """The same of the first items alone."""
        return Factorial(self.form, self.items[:most], self.drawn, self.aligned, self.unaligned, self.unfit)


def factorial_of(model: Model, task: str, *, seed: int = 0, but: Sequence[str] = (), drawn: int = DRAWN) -> Factorial:
    """The built-in factorial items of a task, as the model's tokenizer parts them.

    Of `drawn` items with held-out words those are taken whose two contexts have one length, if they are 30 at least;
    else all that have a cause, an outcome and thus a last token. `but` are hashes of sentences that no item may hold.
    """
    items = list(islice(items_of(task, seed=seed, but=but), drawn)) if has_items(task) else []
    sentences = [sentence for item in items for sentence in item.sentences]
    tokens = encode(model, sentences, position="last")
    found = [contexts_of(item, tokens[4 * i : 4 * i + 4]) for i, item in enumerate(items)]
    usable = [one for one in found if isinstance(one, Contexts)]
    aligned = [one for one in usable if one.aligned]
    form: Form | None = "last" if len(usable) >= FEWEST_ITEMS else None
    if len(aligned) >= FEWEST_ITEMS:
        form = "aligned"
    return Factorial(
        form=form,
        items=tuple((aligned if form == "aligned" else usable)[:USED]),
        drawn=len(items),
        aligned=len(aligned),
        unaligned=len(usable) - len(aligned),
        unfit=Counter(one for one in found if not isinstance(one, Contexts)),
    )


def why_not(task: str, found: Factorial) -> str:
    """Why the question cannot be asked; empty where it can."""
    if not found.drawn:
        return f"{task} has no factorial form: there are no built-in items of two causes and two outcomes of it"
    if found.form is None:
        kept = counted(found.aligned + found.unaligned, "item")
        dropped = f" ({found.counts()})" if found.counts() else ""
        return f"of {found.drawn} factorial items {kept} can be used{dropped}, {FEWEST_ITEMS} are wanted"
    return ""


def gap_of(values: Preferences) -> Float[np.ndarray, "item"]:
    """From the own preference to the donor's, in both directions together."""
    first, second = values.clean.reshape(-1, 2).T
    return np.asarray(2 * (first - second))


def towards_the_donor(values: Preferences) -> Float[np.ndarray, "swap item"]:
    """How far each swap moves the preference, in both directions together: the gap where all of the way."""
    change = (values.swapped - values.clean).reshape(len(values.swapped), -1, 2)
    return np.asarray(change[..., 1] - change[..., 0])


def other_cause(found: Factorial, region: Region | None = None) -> list[Places]:
    """Each reading's values come from the other cause of its item.

    At all tokens from the first that differs on (aligned items), at those of one `region`, or at the last alone.
    """
    return _places(found, lambda reading: reading + 1 - 2 * (reading % 2), region)


def same_cause(found: Factorial, seed: int) -> list[Places]:
    """Each reading's values come from another item with the same cause, from as many tokens before its end.

    One with the same two outcomes if there is one. A reading without such an item is left as it is.
    """
    donors = [_like(found, item, seed) for item in range(len(found.items))]
    return _places(
        found, lambda reading: None if (at := donors[reading // 2]) is None else 2 * at + reading % 2, None
    )


def _like(found: Factorial, item: int, seed: int) -> int | None:
    own = found.items[item]
    others = [i for i, one in enumerate(found.items) if i != item and _span(found, one) == _span(found, own)]
    alike = [i for i in others if found.items[i].outcomes == own.outcomes] or others
    if not alike:
        return None
    source = generator(seed, "same cause", own.id)
    return alike[int(torch.randint(len(alike), (), generator=source))]


def _span(found: Factorial, item: Contexts) -> int:
    """How many tokens are swapped."""
    return len(item.tokens[0]) - item.start if found.form == "aligned" else 1


def _places(found: Factorial, donor_of: Callable[[int], int | None], region: Region | None) -> list[Places]:
    places = []
    for reading in range(2 * len(found.items)):
        donor = donor_of(reading)
        if donor is None:
            places.append(Places())
            continue
        own, other = (found.items[one // 2].tokens[one % 2] for one in (reading, donor))
        item = found.items[reading // 2]
        if region is not None and found.form == "aligned":
            positions = item.region(region)
        else:
            positions = tuple(range(len(own) - _span(found, item), len(own)))
        shift = len(other) - len(own)
        places.append(Places(positions, donor, tuple(position + shift for position in positions)))
    return places
