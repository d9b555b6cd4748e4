"""Every site, by the words of `vocabulary.Site`: where it is read, how wide it is, what it writes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from neurosteer.vocabulary import Grain, Site


@dataclass(frozen=True)
class KnownSite:
    """One of them.

    Attributes:
        words: what it is, for the guide.
        hook: TransformerLens' name of its hook point, behind that of the block.
        width: as wide as the residual `stream`, known without a model's weights; or of its `own`, which is measured.
        writes: how a unit gets into the residual stream: `as it is`, through a projection of the block (which part
            of the block, and its name there), or in no such way (None).
        stream: whether it is the residual stream itself, in which a coordinate means the same at every layer.
        heads: whether its units are those of attention heads.
    """

    words: str
    hook: str
    width: Literal["stream", "own"] = "stream"
    writes: Literal["as it is"] | tuple[str, str] | None = "as it is"
    stream: bool = False
    heads: bool = False


KNOWN_SITES: Mapping[Site, KnownSite] = {
    "resid_post": KnownSite("the residual stream after a block", "hook_out", stream=True),
    "resid_pre": KnownSite("the residual stream before a block", "hook_in", stream=True),
    "resid_mid": KnownSite("the residual stream between attention and MLP", "hook_resid_mid", stream=True),
    "attn_out": KnownSite("what attention adds", "hook_attn_out"),
    "mlp_out": KnownSite("what the MLP adds", "hook_mlp_out"),
    "mlp_post": KnownSite(
        "inside the MLP, after its nonlinearity", "mlp.hook_post", width="own", writes=("mlp", "out")
    ),
    "z": KnownSite(
        "what the attention heads give, before W_O mixes them",
        "attn.hook_z",
        width="own",
        writes=("attn", "o"),
        heads=True,
    ),
}
USUAL_SITES: Mapping[Grain, Site] = {"unit": "resid_post", "head": "z"}  # where none is named


def site_list() -> str:
    """`resid_post, resid_pre or z (the heads' outputs)`, of all."""
    *most, last = [name + " (the heads' outputs)" * site.heads for name, site in KNOWN_SITES.items()]
    return f"{', '.join(most)} or {last}"


def projection_behind(site: Site) -> tuple[str, str] | None:
    """The projection that a site has of its own; None where there is none."""
    writes = KNOWN_SITES[site].writes
    return writes if isinstance(writes, tuple) else None
