"""Generated text before and after an edit: one element of `results` in the JSON of `neurosteer generate`."""

from __future__ import annotations

from dataclasses import dataclass

from .effect import AppliedEdit


@dataclass(frozen=True, kw_only=True)
class Continuation:
    """What a model writes after a prompt, without and with the edit."""

    prompt: str
    before: str
    after: str
    method: str  # of the ranking that chose the neurons
    edit: AppliedEdit
    neurons_from: str  # the run or file


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
class TouchedPrompt:
    """Which tokens of a prompt an edit reaches, as `generate --dry-run` shows it."""

    prompt: str
    tokens: tuple[TouchedToken, ...]
    generated: GeneratedTokens
    method: str
    edit: AppliedEdit
    neurons_from: str
