"""All meaning tasks, by name."""

from __future__ import annotations

from types import ModuleType

from . import animals, arithmetic, capitals, categories, colors, opposites, parts, selectional_sense
from .meaning_task import MeaningTask

_MODULES: tuple[ModuleType, ...] = (
    animals,
    arithmetic,
    capitals,
    categories,
    colors,
    opposites,
    parts,
    selectional_sense,
)
MEANING_TASKS: dict[str, MeaningTask] = {
    found.name: found for module in _MODULES for found in vars(module).values() if isinstance(found, MeaningTask)
}
