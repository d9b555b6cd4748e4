"""The built-in pairs: a lexicon of our own and a small grammar for each of BLiMP's 67 paradigms."""

from __future__ import annotations

from .collection import PARADIGMS
from .items import ROUND
from .paradigm import FRAMES, Form, Made, Paradigm

__all__ = ["FRAMES", "PARADIGMS", "ROUND", "Form", "Made", "Paradigm"]
