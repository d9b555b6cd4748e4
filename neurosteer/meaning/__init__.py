"""The built-in pairs about meaning: facts and sense, with both sentences grammatical."""

from __future__ import annotations

from .collection import MEANING_TASKS
from .meaning_task import MOST, MeaningTask

__all__ = ["MEANING_TASKS", "MOST", "MeaningTask"]
