"""`evidence`: six questions about one neuron set, each a module of its own, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurosteer.lazy import lazily

if TYPE_CHECKING:
    from .answers import ask as ask
    from .answers import evidence as evidence
    from .chosen import Chosen as Chosen
    from .chosen import layers_among as layers_among
    from .result import Evidence as Evidence
    from .save import save_evidence as save_evidence
    from .settings import EvidenceSettings as EvidenceSettings
else:
    __getattr__, __dir__, __all__ = lazily(__name__, __file__)
