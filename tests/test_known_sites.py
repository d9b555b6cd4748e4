"""The table of sites: the guide shows it, and every room that asks about a site reads it."""

from __future__ import annotations

import re

import pytest
import torch
from doc_pages import page

from neurosteer.model import Model, logit_weights, site_width
from neurosteer.sites import KNOWN_SITES, USUAL_SITES, projection_behind, site_list
from neurosteer.vocabulary import GRAINS, SITES, Site


def test_the_table_has_the_words_of_the_vocabulary():
    assert tuple(KNOWN_SITES) == SITES
    assert tuple(USUAL_SITES) == GRAINS
    assert [name for name, site in KNOWN_SITES.items() if site.heads] == [USUAL_SITES["head"]]


def test_the_guide_shows_it():
    text = page("models").text
    rows = re.findall(r"^\| `(\w+)`(?: \(the default\))? \| ([^|;]*?)(?:;[^|]*)? \|$", text, re.MULTILINE)
    assert dict(rows) == {name: site.words for name, site in KNOWN_SITES.items()}


def test_the_help_names_every_one():
    assert re.findall(r"(\w+)(?:,| or|$)", site_list().replace(" (the heads' outputs)", "")) == list(SITES)
    assert "z (the heads' outputs)" in site_list()


@pytest.mark.parametrize("site", SITES)
def test_what_it_says_of_a_site_is_so(llama: Model, site: Site):
    """A width that is that of the stream; and what a unit writes towards the words, where it has a way there."""
    known = KNOWN_SITES[site]
    assert (site_width(llama, site, [1]) == llama.d_model) or known.width == "own"
    assert (logit_weights(llama, site, 1, 0) is None) is (known.writes is None)
    assert (projection_behind(site) is None) is (known.writes in ("as it is", None))
    if known.writes == "as it is":
        same = logit_weights(llama, "resid_post", 1, 0)
        assert torch.equal(logit_weights(llama, site, 1, 0), same)
