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
    """A loaded decoder with TransformerLens hooks.

    Attributes:
        bridge: the TransformerBridge, with hooks and weights.
        tokenizer: its tokenizer, of Hugging Face.
        name: what it was loaded by.
        revision: commit of a hub model; None for others.
        fingerprint: hash of weights, tokenizer and architecture; the same on any device and in any dtype.
        bos: the token before a sentence; None where there is none.
        eos: the token after it.
        dtype: of its weights.
        device: where its first layers are.

    Example:
        >>> model.n_layers, model.d_model, model.context, model.eos.text
        (3, 384, 64, '</s>')
        >>> model.site_width("mlp_out", [0, 1]), model.head_width([1]), model.describe().name
        (384, 192, 'gym')
    """

    def site_width(self, site: Site, layers: Sequence[int]) -> int:
        """Units of a site.

        Args:
            site: which activation.
            layers: blocks, counted from 0.

        Returns:
            Number of units, the same at all of them.

        Raises:
            InputError: for a site or layer that the model lacks.
        """
        check_site(self, site, layers)
        return site_width(self, site, layers)

    def head_width(self, layers: Sequence[int]) -> int:
        """Units of one attention head of `z`.

        Args:
            layers: blocks, counted from 0.

        Returns:
            Number of units.

        Raises:
            InputError: for a layer that has no heads.
        """
        check_site(self, "z", layers)
        return head_width(self, layers)
