"""The gym of known answers: rankings and the questions of evidence where it is known what every unit does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import GymSettings as GymSettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)
