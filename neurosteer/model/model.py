"""`Model`: a language model with TransformerLens hooks, and its properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurosteer.vocabulary import Site

from .decoder import Decoder
from .sites import check_site
from .widths import head_width, site_width


@dataclass(frozen=True, eq=False, repr=False)
class Model(Decoder):
    """A loaded decoder. `bridge` is the TransformerBridge, the other fields describe it."""

    def site_width(self, site: Site, layers: Sequence[int]) -> int:
        """Units of a site at these layers. Raises `InputError` for a site or layer that the model lacks."""
        check_site(self, site, layers)
        return site_width(self, site, layers)

    def head_width(self, layers: Sequence[int]) -> int:
        """Units of one head of `z` at these layers. Raises `InputError` for a layer that has no heads."""
        check_site(self, "z", layers)
        return head_width(self, layers)
