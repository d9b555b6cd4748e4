"""Localizer: the protocol of the field's language localisers, with the controls that it lacks.

One part of a task's pairs localises: the 1 % of all units of all layers whose size is larger on good sentences, by
Welch's t at the last token. Another part evaluates: these units are set to zero, and the pairs are scored by the
mean log probability per token. Beside them stand sets drawn uniformly from all other units, as in the protocol, and
matched sets, as everywhere here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .experiment import EXPERIMENT as EXPERIMENT
    from .settings import LocalizerSettings as LocalizerSettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)
