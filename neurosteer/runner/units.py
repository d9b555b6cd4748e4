"""The units of work of a recipe, and what each leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar, cast

import numpy as np

from neurosteer.vocabulary import Json

T = TypeVar("T")
STORED_AS = "stored as"  # key of the metadata of a field whose array has another name
UNIT_FORMAT = 2  # raised when a change of the code changes what units hold: a run is not continued across that


@dataclass(frozen=True, eq=False)
class UnitResult:
    """What a unit leaves behind: named arrays, and plain JSON values."""

    arrays: Mapping[str, np.ndarray]  # float32, float64, int64, int32 or bool
    values: Mapping[str, Json]

    def typed(self, kind: type[T]) -> T:
        """What a dataclass has fields for of its arrays and values, by their names or by those that are `STORED_AS`.

        Example:
            >>> @dataclass
            ... class Margins:
            ...     clean: np.ndarray
            ...     tokens: int
            >>> UnitResult({"clean": np.ones(2), "kl": np.zeros(2)}, {"tokens": 7}).typed(Margins)
            Margins(clean=array([1., 1.]), tokens=7)
        """
        assert not self.values.keys() & self.arrays.keys()  # one name for one thing
        found, names = {**self.values, **self.arrays}, fields(cast(Any, kind))
        return kind(**{one.name: found[one.metadata.get(STORED_AS, one.name)] for one in names})


Read = Callable[[str], UnitResult]  # name of a needed unit -> its result, which several may share: not to be changed


@dataclass(frozen=True, eq=False)
class Unit:
    """A small part of the work, which is done or not done."""

    name: str  # unique, safe as a file's stem
    group: str  # the task: a worker stays with it, as it has in memory what its units read; "" = joint
    cost: float  # estimated seconds on 2 CPU cores
    compute: Callable[[Read], UnitResult]  # deterministic: the same result byte for byte
    needs: tuple[str, ...] = ()  # units whose results `compute` reads, all of them before this one
    scratch: bool = False  # large, and only a means: deleted when all units that need it are done
    size: int = 0  # estimated bytes of its result
