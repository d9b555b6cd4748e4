"""Where masks are looked for, on which texts, and every path of one search."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neurosteer.data import UnitStats
from neurosteer.errors import InputError
from neurosteer.forward import Gated
from neurosteer.model import Model
from neurosteer.neurons import massive
from neurosteer.pairs import Pairs
from neurosteer.progress import Progress
from neurosteer.seeds import seed_of
from neurosteer.store import digest_of
from neurosteer.studies.neutral import paragraphs, read_neutral
from neurosteer.vocabulary import FixedReference, Site

from .path_cache import Keep
from .settings import MaskSettings
from .training import MaskPath, Training, follow_path


@dataclass(frozen=True, eq=False)
class MaskSite:
    """Where masks are looked for, and what units are moved to there."""

    site: Site
    layers: tuple[int, ...]
    to: FixedReference
    stats: UnitStats  # of these layers

    @property
    def gated(self) -> Gated:
        return Gated(self.site, self.layers, self.stats.reference(self.to))

    @property
    def light(self) -> Bool[Tensor, "layer unit"]:
        """The units that are not massive."""
        return ~massive(self.stats)


@dataclass(frozen=True)
class MaskTexts:
    """Neutral text: one that masks are trained on, and another one that judges them."""

    train: str
    judge: str


def mask_texts(path: Path | None) -> MaskTexts:
    """Two built-in texts; of a file the paragraphs in turn. Raises `InputError` for a file of one paragraph."""
    if path is None:
        return MaskTexts(files(__package__).joinpath("neutral.txt").read_text("utf-8"), read_neutral(None)[1])
    parts = paragraphs(read_neutral(path)[1])
    if len(parts) < 2:
        raise InputError(
            f"the neutral text '{path}' is one paragraph: a mask is trained on one and judged by another; part them "
            "by an empty line"
        )
    return MaskTexts("\n\n".join(parts[::2]), "\n\n".join(parts[1::2]))


class Paths:
    """The paths of one search: all on the same pairs, with the same settings."""

    def __init__(
        self,
        model: Model,
        pairs: Pairs,
        place: MaskSite,
        settings: MaskSettings,
        text: str,
        seed: int,
        *,
        cache: bool,
        progress: Progress,
    ) -> None:
        self.model, self.pairs, self.place, self.settings = model, pairs, place, settings
        self.seed, self.cache, self.progress = seed, cache, progress
        self.text = digest_of(text)
        self.training = Training(model, pairs, place.gated, text, settings, seed, progress)

    def follow(self, number: int = 0, *, light: bool = True, signs: Float[Tensor, "pair"] | None = None) -> MaskPath:
        """The path of one seed, of these counted from 0; without massive units if `light`. See `follow_path`."""
        place = self.place
        allowed = place.light if light else torch.ones_like(place.light)
        keep = Keep.of(
            self.model,
            self.pairs,
            self.progress,
            cache=self.cache,
            site=place.site,
            layers=list(place.layers),
            settings=self.settings.settings(),
            seeds=[self.seed, number],
            allowed=digest_of(allowed.tolist()),
            to=digest_of(place.gated.to.tolist()),
            text=self.text,
            signs=None if signs is None else signs.tolist(),
        )
        own = seed_of(self.seed, self.pairs.task, "mask", number)
        with keep.held():
            return follow_path(self.training, own, allowed=allowed, signs=signs, keep=keep)
