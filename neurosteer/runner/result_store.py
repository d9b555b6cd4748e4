"""The results of a run's units on disk: one verified file for each finished unit."""

from __future__ import annotations

import os
from collections.abc import Collection
from glob import escape
from pathlib import Path

from neurosteer.artefacts import UNIT
from neurosteer.errors import CorruptFileError, InputError, NeurosteerError
from neurosteer.progress import Progress
from neurosteer.store import SUFFIX, refuse_link, verify_artefact, write_artefact

from .units import UnitResult

FOLDER = "units"


class ResultStore:
    """Writes, finds and reads the results of units; keeps in memory what was read last, and what is read again."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.folder = folder / FOLDER
        refuse_link(self.folder)
        self._digest = digest
        self._last: tuple[str, UnitResult | None] = ("", None)
        self._kept: dict[str, UnitResult] = {}
        self._again: Collection[str] = ()
        self._verified: set[str] = set()

    def path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def has(self, name: str, progress: Progress) -> bool:
        """Whether a unit is done; its file is verified once. A notice names one that is damaged, which
        counts as none.

        Raises `InputError` where it belongs to another recipe, model or data: two runs are never mixed.
        """
        path = self.path(name)
        if not path.is_file() or name in self._verified:
            return path.is_file()
        try:
            metadata = verify_artefact(path, UNIT.kind)
            UNIT.check(path, {}, metadata)
        except (CorruptFileError, InputError) as error:  # the latter where the damage is in what kind of file it is
            progress.notice(f"{str(error).split(';')[0]}; computing it again")
            return False
        if metadata.get("digest") != self._digest:
            raise InputError(
                f"{path} belongs to another recipe, model or data; runs are not mixed: delete {path.parent.parent} "
                "or name another folder with --out"
            )
        if metadata.get("unit") != name:
            progress.notice(f"{path} holds the unit '{metadata.get('unit')}'; computing it again")
            return False
        self._verified.add(name)
        return True

    def read(self, name: str) -> UnitResult:
        """A finished unit's result, verified."""
        result = self._last[1] if name == self._last[0] else self._kept.get(name)
        if result is None:
            _refuse_deleted(self.path(name))
            arrays, metadata = UNIT.read(self.path(name))
            result = UnitResult(arrays, metadata["values"])
        if name in self._again:
            self._kept[name] = result
        else:
            self._last = (name, result)
        return result

    def write(self, name: str, result: UnitResult) -> None:
        _refuse_deleted(self.folder.parent)
        metadata = {"unit": name, "digest": self._digest, "values": dict(result.values)}
        write_artefact(self.path(name), UNIT.kind, result.arrays, metadata)
        self._verified.add(name)

    def delete(self, name: str) -> None:
        self.path(name).unlink(missing_ok=True)

    def expect(self, now: Collection[str], after: Collection[str]) -> None:
        """What will be read now, and what after that: of what is in memory only that stays there."""
        self._last, self._again = ("", None), after
        self._kept = {name: result for name, result in self._kept.items() if name in now}

    def names(self) -> set[str]:
        """The units whose files are there."""
        try:
            found = os.listdir(self.folder)
        except FileNotFoundError:
            return set()
        return {name.removesuffix(SUFFIX) for name in found if name.endswith(SUFFIX) and not name.startswith(".")}

    def refuse_deleted(self, gone: Collection[str]) -> None:
        """Raise `NeurosteerError` where the run's folder is gone, or units that were there."""
        _refuse_deleted(self.folder.parent)
        for name in sorted(gone):
            _refuse_deleted(self.path(name))

    def half_written(self) -> set[str]:
        """The units of which there are half-written files: somebody is at it, or was killed."""
        return {path.name[1:].rpartition(SUFFIX)[0] for path in self.folder.glob(f".*{SUFFIX}.*")}

    def sweep(self, name: str) -> None:
        """Delete what a killed process has left half-written of a unit, which the caller has claimed."""
        for path in self.folder.glob(f".{escape(name)}{SUFFIX}.*"):
            path.unlink(missing_ok=True)


def _refuse_deleted(needed: Path) -> None:
    """What a run has written is there as long as the run goes on, unless somebody deletes it."""
    if not needed.exists():
        raise NeurosteerError(f"{needed} was deleted while the run went on; give the same command again")
