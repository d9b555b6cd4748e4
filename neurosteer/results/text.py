"""Generated text before and after an edit: one element of `results` in the JSON of `neurosteer generate`."""

from __future__ import annotations

from dataclasses import dataclass

from .effect import AppliedEdit


@dataclass(frozen=True, kw_only=True)
class EditSource:
    """The edit, and where its neurons come from."""

    method: str  # of the ranking that chose them
    edit: AppliedEdit
    neurons_from: str  # the run or file


@dataclass(frozen=True, kw_only=True)
class _Texts:  # as the last of two bases: its fields come first in the JSON
    prompt: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Continuation(EditSource, _Texts):
    """What a model writes after a prompt, without and with the edit."""


@dataclass(frozen=True, kw_only=True)
class TouchedToken:
    text: str
    id: int
    touched: bool  # whether it is edited


@dataclass(frozen=True, kw_only=True)
class GeneratedTokens:
    """Which generated tokens are edited."""

    touched: bool
    at_most: int  # so many; the last is never read again


@dataclass(frozen=True, kw_only=True)
class _Tokens:
    prompt: str
    tokens: tuple[TouchedToken, ...]
    generated: GeneratedTokens


@dataclass(frozen=True, kw_only=True)
class TouchedPrompt(EditSource, _Tokens):
    """Which tokens of a prompt an edit reaches, as `generate --dry-run` shows it."""
