"""All paradigms, by UID."""

from __future__ import annotations

from types import ModuleType

from . import (
    anaphor_agreement,
    argument_structure,
    binding,
    control_raising,
    determiner_noun_agreement,
    ellipsis,
    filler_gap_dependency,
    irregular_forms,
    island_effects,
    npi_licensing,
    quantifiers,
    subject_verb_agreement,
)
from .paradigm import Paradigm

_MODULES: tuple[ModuleType, ...] = (
    anaphor_agreement,
    argument_structure,
    binding,
    control_raising,
    determiner_noun_agreement,
    ellipsis,
    filler_gap_dependency,
    irregular_forms,
    island_effects,
    npi_licensing,
    quantifiers,
    subject_verb_agreement,
)
PARADIGMS: dict[str, Paradigm] = {
    found.uid: found for module in _MODULES for found in vars(module).values() if isinstance(found, Paradigm)
}
