"""What Python hands over: values of the wrong kind are one clear line, and no traceback or wrong result later."""

from __future__ import annotations

import operator
import os
import reprlib
from collections.abc import Collection, Iterable

from .errors import InputError, did_you_mean
from .vocabulary import GRAINS, Grain

_MADE_BY = {
    "Edit": "make one with ns.Edit.ablate(neurons) or ns.Edit.amplify(neurons, by=2.0)",
    "Found": "make one with ns.find",
    "Model": "load one with ns.load_model",
    "NeuronSet": "make one with ranking.top(40) or ns.NeuronSet.of(model, [(14, 3)])",
    "Pairs": "make them with ns.load_pairs, ns.Pairs.from_lists(good, bad) or ns.Pairs.from_frame(frame)",
}


def expect(value: object, kind: type, name: str) -> None:
    """Raise `InputError` for an argument that is not of this class of ours.

    Example:
        >>> expect([("a", "b")], ns.Pairs, "pairs")
        Traceback (most recent call last):
        ...
        neurosteer.errors.InputError: pairs must be Pairs, not a list; make them with ns.load_pairs, \
ns.Pairs.from_lists(good, bad) or ns.Pairs.from_frame(frame)
    """
    if not isinstance(value, kind):
        made = _MADE_BY.get(kind.__name__)
        raise InputError(f"{name} must be {kind.__name__}, not {a(value)}{f'; {made}' if made else ''}")


def expect_all(values: Iterable[object], kind: type, name: str) -> None:
    """The same for each of several: a single one must stand in a list too."""
    if isinstance(values, kind | str) or not isinstance(values, Iterable):
        raise InputError(f"{name} must be a list of {kind.__name__}, not {a(values)}")
    for value in values:
        expect(value, kind, f"each of {name}")


def one_of(value: str, allowed: Collection[str], name: str) -> None:
    """Raise `InputError` for a word that is none of those allowed."""
    if value not in allowed:
        raise InputError(f"{name} '{value}' is not one of {', '.join(allowed)}{did_you_mean(str(value), allowed)}")


def whole(value: object, name: str) -> int:
    """A whole number as an int; those of numpy and torch are taken too. Raises `InputError` for anything else.

    Example:
        >>> whole(torch.tensor(3), "layer")
        3
        >>> whole(1.5, "layer")
        Traceback (most recent call last):
        ...
        neurosteer.errors.InputError: layer must be a whole number, not 1.5
    """
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(f"{name} must be a whole number, not {reprlib.repr(value)}") from None


def places(neurons: Iterable[object], member: Grain) -> list[tuple[int, int]]:
    """Neurons as (layer, unit) or (layer, head), each once and ascending. Raises `InputError` for anything else.

    Example:
        >>> places([(torch.tensor(2), 3), (0, 5), (0, 5)], "unit")
        [(0, 5), (2, 3)]
        >>> places(["1:3"], "unit")
        Traceback (most recent call last):
        ...
        neurosteer.errors.InputError: a neuron is (layer, unit), two whole numbers, not '1:3'
    """
    one_of(member, GRAINS, "by")
    if isinstance(neurons, str) or not isinstance(neurons, Iterable):
        raise InputError(f"neurons must be a list of (layer, {member}), not {reprlib.repr(neurons)}")
    return sorted({_place(neuron, member) for neuron in neurons})


def _place(neuron: object, member: Grain) -> tuple[int, int]:
    try:
        if isinstance(neuron, str | bytes):
            raise TypeError
        layer, unit = map(operator.index, neuron)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        named = "neuron" if member == "unit" else member
        raise InputError(f"a {named} is (layer, {member}), two whole numbers, not {reprlib.repr(neuron)}") from None
    return layer, unit


def named(value: object, name: str, *, or_none: bool = False) -> None:
    """Raise `InputError` for what is no name or path. Tables and lists of pairs have functions of their own."""
    if isinstance(value, str) or (or_none and value is None):
        return
    if isinstance(value, os.PathLike):
        if name == "source":
            return
        raise InputError(f"{name} must be a name, not a path; give '{os.fspath(value)}' as source=")
    hints = {"DataFrame": "; read it with ns.Pairs.from_frame", "list": "; make pairs with ns.Pairs.from_lists"}
    hint = hints.get(type(value).__name__, "")
    raise InputError(f"{name} must be a name{' or a path' * (name == 'source')}, not {a(value)}{hint}")


def as_texts(values: object, name: str) -> list[str]:
    """One text, or several, as a list. Raises `InputError` for anything else.

    Example:
        >>> as_texts("The guests have", "prompts"), as_texts(("a", "b"), "prompts")
        (['The guests have'], ['a', 'b'])
    """
    found = [values] if isinstance(values, str) else values
    if not isinstance(found, Iterable):
        raise InputError(f"{name} must be a text or a list of texts, not {a(values)}")
    found = list(found)
    for value in found:
        if not isinstance(value, str):
            raise InputError(f"{name} must be a text or a list of texts, not a list with {a(value)}")
    return found


def a(value: object) -> str:
    """What a value is, in words: `a list`, `an int`, `None`."""
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
