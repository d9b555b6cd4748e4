"""What a run leaves behind to look at: one page without outside references, files beside it, the same bytes again."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser

import pytest
from made_outcome import ALL, caption_of, make_outcome, outcome_figures, outcome_page, write_outcome

from neurosteer.experiments import outcome as outcome_module

COARSE = 40  # dots per inch: enough to compare
EVIL = "<script>alert(\"x\")</script> & 'y'"


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, name):
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A small outcome of every experiment, its folder, and the names of its files."""
    folder = tmp_path_factory.mktemp("run")
    outcome = make_outcome(tasks=4, layers=3, lambdas=(0.2, 1.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcome_module, "DPI", COARSE)
        patch.setattr(outcome_module, "PAGE_DPI", COARSE)
        yield outcome, folder, write_outcome(outcome, folder)


def page_of(outcome):
    return Reader(outcome_page(outcome))


def test_files(written):
    outcome, folder, names = written
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    results = [{key: value for key, value in result.items() if key != "tables"} for result in outcome["results"]]
    assert json.loads((folder / "results.json").read_text("utf-8")) == {**outcome, "results": results}
    figures = ["fig2", "fig3", "fig4", "fig5", "fig6", "fig6.pairwise", "overlap", "controls"]
    figures += ["causal", "causal.predicted", "causal.agreement"]
    assert [name for name, _ in outcome_figures(make_outcome(tasks=2, layers=1))] == figures
    for name in figures:
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        svg = (folder / f"{name}.svg").read_text("utf-8")
        assert svg.rstrip().endswith("</svg>")
        assert not re.search(r"<dc:date>|matplotlib v|Matplotlib v", svg)
    assert len([name for name in names if name.endswith(".csv")]) == 25


def test_the_page_stands_alone(written):
    _, folder, names = written
    reader = Reader((folder / "index.html").read_text("utf-8"))
    assert len(reader.all("img", "src")) == 11
    for source in reader.all("img", "src"):
        kind, _, data = source.partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")
    assert all(alt for alt in reader.all("img", "alt"))
    anchors = set(reader.all("h2", "id"))
    for link in reader.all("a", "href"):
        assert link[1:] in anchors if link.startswith("#") else link in names
    assert {"script", "link", "iframe", "base", "object"}.isdisjoint(tag for tag, _ in reader.tags)
    style = (folder / "index.html").read_text("utf-8").split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert all(src.startswith("data:") for _, attributes in reader.tags for src in [attributes.get("src") or "data:"])


def test_files_are_all_linked(written):
    _, folder, names = written
    links = Reader((folder / "index.html").read_text("utf-8")).all("a", "href")
    assert {name for name in names if name.endswith((".csv", ".png", ".svg"))} <= set(links)


def test_what_the_page_says(written):
    outcome, folder, _ = written
    text = Reader((folder / "index.html").read_text("utf-8")).text
    assert "The paper's experiments" in text
    assert "neurosteer run all --set limit=200" in text
    assert 'experiments = ["fig2", "fig3"' in text
    for verdict in outcome["verdicts"]:
        assert all(verdict[part] in text for part in ("statement", "criterion", "reading"))
    assert "0 of 4 training tasks" in text
    assert "cannot be judged" in text
    assert text.count("How to read it.") == text.count("What it does not show.") == 11
    for said in ("float32 on cpu", "6 of 576 units (1 %)", "layer 1, λ = .2", *outcome["notices"]):
        assert said in text
    assert len(outcome["notices"]) == 2
    assert "Words are held out on the diagonal alone" not in text
    assert "pairs of" not in text.split("Do the paper's claims")[0]
    assert outcome["skipped"][0]["task"] in text
    assert outcome["skipped"][0]["reason"] in text
    assert "0.1.0" not in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("experiments", "listed"),
    [
        (("fig2",), {"layers", "λ"}),
        (("fig3",), {"layers", "k"}),
        (("fig5",), {"layers", "k", "random sets"}),
        (("causal",), {"one layer", "k", "λ"}),
        (ALL, {"layers", "one layer", "k", "λ", "random sets"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_settings_that_nothing_used_are_not_listed(experiments, listed):
    outcome = make_outcome(experiments, tasks=3, layers=3)
    assert {"model", "data", "split", *listed} < set(names_of_settings(outcome_page(outcome)))
    unused = {"layers", "one layer", "k", "λ", "random sets"} - listed
    assert unused.isdisjoint(names_of_settings(outcome_page(outcome)))


def names_of_settings(page):
    return re.findall(r"<dt>(.*?)</dt>", page)


def test_a_lexical_split_says_what_it_dropped_and_what_it_holds_out(written):
    _, folder, _ = written
    outcome = make_outcome(ALL, tasks=4, layers=3, split="lexical")
    pictures = {name: (folder / f"{name}.png").read_bytes() for name, _ in outcome_figures(outcome)}
    text = Reader(outcome_page(outcome, pictures)).text
    beneath, settings = text.split("Do the paper's claims")[0].split("Made by")[0].split("model", 1)
    assert "lexical split · 4 tasks of 1,000 pairs · 2,000 pairs of 4,000 used" in beneath
    assert "lexical, seed 0, 2,000 pairs of 4,000 used" in settings
    captions = text.split("What it does not show.")[1:]
    told = [number for number, caption in enumerate(captions) if "held out on the diagonal alone" in caption]
    assert told == [4, 5]  # figure 6 and its pairwise twin


def test_links_lead_to_what_was_left_out_and_to_notices():
    outcome = make_outcome(("fig4",), tasks=2, layers=1)
    assert {"#skipped", "#notices"} < set(page_of(outcome).all("a", "href"))
    links = page_of({**outcome, "skipped": [], "notices": []}).all("a", "href")
    assert {"#skipped", "#notices"}.isdisjoint(links)


@pytest.mark.parametrize(
    ("name", "said", "unsaid"),
    [
        ("controls", ("the standardised states, rotated", "the same tasks", "in every variant"), ()),
        ("overlap", ("|A||B| / width", "disjoint folds"), ("halves", "than a set shares with itself")),
    ],
)
def test_captions(name, said, unsaid):
    caption = caption_of(name, make_outcome((name,), tasks=8, layers=2))
    text = f"{caption.read} {caption.limits}"
    assert all(part in text for part in said)
    assert not any(part in text for part in unsaid)


def test_data_cannot_become_markup():
    outcome = make_outcome(ALL, tasks=3, layers=2)
    outcome["recipe"] |= {"title": EVIL, "name": EVIL}
    outcome["again"] = EVIL
    outcome["model"] |= {"name": EVIL, "revision": EVIL}
    outcome["data"]["source"] = EVIL
    outcome["notices"] = [EVIL]
    outcome["skipped"] = [{"task": EVIL, "reason": EVIL}]
    outcome["verdicts"][0] |= {"statement": EVIL, "criterion": EVIL, "reading": EVIL}
    outcome["tasks"][0] |= {"task": EVIL, "phenomenon": EVIL}
    for result in outcome["results"]:
        if "phenomena" in result:
            result["phenomena"] = [EVIL, *result["phenomena"][1:]]
    reader = page_of(outcome)
    assert "script" not in {tag for tag, _ in reader.tags}
    assert reader.text.count(EVIL) >= 10


def test_pictures_have_their_size_on_paper(written):
    _, folder, _ = written
    widths = [int(width) for width in Reader((folder / "index.html").read_text("utf-8")).all("img", "width")]
    assert widths[:4] == pytest.approx([96 * 9.6] * 4, abs=2)


def test_same_outcome_same_bytes(written, tmp_path):
    outcome, folder, _ = written
    again = json.loads(json.dumps(outcome))
    assert outcome_page(again) == outcome_page(outcome)
    some = ("fig2", "fig5", "overlap", "causal")  # each kind of figure
    again["results"] = [result for result in again["results"] if result["experiment"] in some]
    names = [name for name in write_outcome(again, tmp_path) if name not in ("results.json", "index.html")]
    assert len(names) == 15 + 2 * 6
    for name in names:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize(
    "changes", [{"tasks": 1, "layers": 1, "lambdas": (1.0,)}, {"tasks": 2, "layers": [7]}], ids=str
)
def test_the_least_outcome_has_a_page(changes):
    outcome = make_outcome(**changes)
    outcome |= {"skipped": [], "notices": [], "verdicts": []}
    reader = page_of(outcome)
    assert "None" not in reader.text
    assert set(reader.all("h2", "id")) == {*ALL, "baselines"}


def test_nothing_to_show_is_a_page_too():
    outcome = make_outcome((), tasks=1, layers=1)
    assert outcome["recipe"]["title"] in page_of(outcome).text
