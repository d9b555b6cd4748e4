"""What an effect will be measured on, as far as it is known before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neurosteer.errors import NeurosteerError
from neurosteer.pairs import Pairs, load_others
from neurosteer.store import MANIFEST, file_digest, verify_artefact
from neurosteer.studies.earlier_runs import Described, pairs_identity
from neurosteer.vocabulary import Json

from .finds import FindQuery, Parted, fitting, pairs_of_find, pairs_of_given


@dataclass(frozen=True)
class Expected:
    """Where neurons and pairs come from, and everything that decides an effect beside model and options."""

    where: str  # a run of find, a file, or `--neurons`
    parted: Parted
    made_from: Sequence[Json]

    def test(self) -> Pairs:
        """The pairs to measure on."""
        return self.parted.split().test


def expected_of(
    model: Described,
    wanted: FindQuery,
    *,
    out: Path,
    given: Path | Sequence[tuple[int, int]] | None = None,
    also: Sequence[str] = (),
    neutral: Path | None = None,
) -> Expected | None:
    """None where it is not known: where the neurons are yet to be found, or where something is wrong.

    What is wrong is said when the effect is measured.
    """
    try:
        where, parted, identity = _source(model, wanted, out, given)
        others = load_others(parted.pairs, also, limit=parted.limit, seed=parted.seed, offline=wanted.offline)
        text = "" if neutral is None else file_digest(neutral)
        return Expected(where, parted, [identity, text, *map(pairs_identity, (parted.pairs, *others))])
    except (NeurosteerError, OSError, LookupError):
        return None


def _source(
    model: Described, wanted: FindQuery, out: Path, given: Path | Sequence[tuple[int, int]] | None
) -> tuple[str, Parted, Json]:
    """The run or file, its pairs, and what it is identified by."""
    if isinstance(given, Path):
        return str(given), pairs_of_given(str(given), verify_artefact(given), wanted), file_digest(given)
    if given is not None:
        return "--neurons", pairs_of_given("--neurons", {}, wanted), [list(one) for one in given]
    found, _ = fitting(wanted, model, out=out)
    if found is None:
        raise LookupError("no find")
    identity = [str(found.folder), file_digest(found.folder / MANIFEST)]
    return str(found.folder), pairs_of_find(found, wanted), identity
