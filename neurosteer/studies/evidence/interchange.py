"""Interchangeable: does the preference follow the set's values?"""

from __future__ import annotations

from .work import Part, Work


def interchangeable(work: Work) -> Part:
    """What swapping the set's values between the two causes of factorial items does to the preference."""
    return work.cannot_tell("interchangeable", f"the pairs of {work.pairs.task} have no factorial form here", 0)
