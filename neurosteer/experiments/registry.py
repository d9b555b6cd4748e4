"""Every experiment that a recipe can ask for: the modules of this room that have an `EXPERIMENT`, a line each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurosteer.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from .experiment import Experiment

NAMES: Mapping[str, str | None] = {  # name -> the type of the keys that recipes have for it alone
    "fig2": None,
    "fig3": None,
    "fig4": None,
    "fig5": None,
    "fig6": None,
    "overlap": "StabilitySettings",
    "controls": None,
    "sensitivity": "SensitivitySettings",
    "causal": "CausalSettings",
    "localizer": "LocalizerSettings",
    "gym": "GymSettings",
    "frontier": "FrontierSettings",
    "models": None,
}


def check_names(names: Sequence[str]) -> None:
    """Raises `InputError` for a name that is none of them. Imports none."""
    for name in names:
        if name not in NAMES:
            raise InputError(
                f"unknown experiment '{name}'{did_you_mean(name, NAMES)} (there are: {', '.join(NAMES)})"
            )


def experiment_of(name: str) -> Experiment[Any]:
    """The experiment of this name."""
    check_names([name])
    found: Experiment[Any] = import_module(f".{name}", __package__).EXPERIMENT
    return found


def settings_of(names: Iterable[str]) -> list[type[Any]]:
    """The types of the settings that these experiments have of their own, each once. Imports those that have some."""
    own = [(name, kind) for name in names if (kind := NAMES[name]) is not None]
    return list(dict.fromkeys(getattr(import_module(f".{name}", __package__), kind) for name, kind in own))
