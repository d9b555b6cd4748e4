"""What a notebook shows: tables and one picture, nothing from outside."""

import base64
import re

from neurosteer.report import effect_html, find_html


def picture_in(html):
    [data] = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return base64.b64decode(data)


def test_one_effect(effect_of):
    html = effect_html([effect_of(task="[red]<script>")])
    assert "[red]&lt;script&gt;" in html
    assert "p = .05 against 19 controls" in html
    assert picture_in(html).startswith(b"\x89PNG")
    assert "http" not in html


def test_several_effects_are_compared(three_methods):
    html = effect_html(three_methods)
    assert html.count("sign-flip") == 3
    assert html.count("compare at equal KL") == 1
    assert html == effect_html(three_methods)


def test_find(found_of):
    html = find_html(found_of(2))
    assert 'width="722"' in html
    assert picture_in(html).startswith(b"\x89PNG")
