"""What a run leaves behind to look at: one page without outside references, files beside it, the same bytes again."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from blank_pictures import blank
from made_outcome import ALL, caption_of, make_outcome, outcome_figures, outcome_page, write_outcome
from matplotlib.figure import Figure

EVIL = "<script>alert(\"x\")</script> & 'y'"


class Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    VOID = ("meta", "img", "br", "link", "input")

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
        if self.open[-1:] not in (["script"], ["style"]):
            self.text += data

    def all(self, tag, name):
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A small outcome of every experiment, its folder with blank pictures, and the names of its files."""
    folder = tmp_path_factory.mktemp("run")
    outcome = make_outcome(tasks=4, layers=3, lambdas=(0.2, 1.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", blank)
        return outcome, folder, write_outcome(outcome, folder)


def page_of(outcome):
    return Reader(outcome_page(outcome))


def charts_of(folder):
    """The charts of the page: specs with their numbers, by place."""
    text = (folder / "index.html").read_text("utf-8")
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])["charts"]


def csv_of(folder, name):
    with (folder / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def numbers_of(*values):
    return tuple(None if value in ("", None) else float(value) for value in values)


def test_lines_are_those_of_the_csv(written):
    """Values and both ends of every interval: of figures 2 to 5, line by line."""
    _, folder, _ = written
    charts, masks, tops = charts_of(folder), csv_of(folder, "fig2"), csv_of(folder, "fig3")
    lines = {
        ("fig2-kept", "λ = .2"): [row for row in masks if row["lambda"] == "0.2"],
        ("fig2-accuracy", "λ = 1"): [row for row in masks if row["lambda"] == "1.0"],
        ("fig3-accuracy", "6  (1 %)"): [row for row in tops if row["k"] == "6"],
        ("fig4-spearman", "λ = .2"): [row for row in csv_of(folder, "fig4") if row["lambda"] == "0.2"],
        ("fig5-accuracy", "top 6"): csv_of(folder, "fig5"),
        ("fig5-accuracy", "random 12"): [row for row in csv_of(folder, "fig5.random") if row["size"] == "12"],
    }
    fields = {"fig2-kept": "kept", "fig4-spearman": "spearman"}
    for (chart, line), rows in lines.items():
        name = "top" if line == "top 6" else fields.get(chart, "accuracy")
        expected = {row["layer"]: numbers_of(row[name], row[f"{name}_low"], row[f"{name}_high"]) for row in rows}
        shown = [row for row in charts[f"all-{chart}"]["data"]["values"] if row["series"] == line]
        assert {str(row["layer"]): numbers_of(row["value"], row["low"], row["high"]) for row in shown} == expected


def test_cells_are_those_of_the_csv(written):
    """Of figure 6 both probes; of causal transfer every method's change."""
    _, folder, _ = written
    charts = charts_of(folder)
    for kind in ("accuracy", "pairwise"):
        spec = charts[f"all-fig6-{kind}-cells"]
        names = spec["usermeta"]["tasks"]
        shown = {
            (names[row["row"]], names[row["column"]]): numbers_of(row["sparse"], row["dense"], row["pairs"])
            for row in spec["data"]["values"]
        }
        assert shown == {
            (row["trained"], row["tested"]): numbers_of(row[f"sparse_{kind}"], row[f"dense_{kind}"], row["pairs"])
            for row in csv_of(folder, "fig6")
        }
    spec = charts["all-causal-cells"]
    names = spec["usermeta"]["tasks"]
    shown = {
        (method, names[row["row"]], names[row["column"]]): numbers_of(row.get(method))
        for row in spec["data"]["values"]
        for method in ("welch", "l0", "attribution")
    }
    expected = {
        (row["method"], row["source"], row["target"]): numbers_of(row["delta"]) for row in csv_of(folder, "causal")
    }
    assert shown == expected


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
    assert reader.all("img", "src") == []  # every figure has charts
    assert set(reader.all("div", "data-chart")) == set(charts_of(folder))
    anchors = {*reader.all("section", "id"), "main"}
    for link in reader.all("a", "href"):
        assert link[1:] in anchors if link.startswith("#") else link.removeprefix("./") in names
    assert {"iframe", "base", "object"}.isdisjoint(tag for tag, _ in reader.tags)
    assert reader.all("link", "href") == ["data:,"]
    style = (folder / "index.html").read_text("utf-8").split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert not any("src" in attributes for _, attributes in reader.tags)


def test_files_are_all_linked(written):
    _, folder, names = written
    links = Reader((folder / "index.html").read_text("utf-8")).all("a", "href")
    assert {f"./{name}" for name in names if name.endswith((".csv", ".png", ".svg"))} <= set(links)


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


@pytest.mark.slow
def test_a_lexical_split_says_what_it_dropped_and_what_it_holds_out(written):
    _, folder, _ = written
    outcome = make_outcome(ALL, tasks=4, layers=3, split="lexical")
    pictures = {name: (folder / f"{name}.png").read_bytes() for name, _ in outcome_figures(outcome)}
    text = Reader(outcome_page(outcome, pictures)).text
    beneath, settings = text.split("Made by")[0], text.split("Settings")[-1]
    assert "lexical split · 4 tasks of 1,000 pairs · 2,000 pairs of 4,000 used" in beneath
    assert "lexical, seed 0, 2,000 pairs of 4,000 used" in settings
    captions = text.split("What it does not show.")[1:]
    told = [number for number, caption in enumerate(captions) if "held out on the diagonal alone" in caption]
    assert told == [4, 5]  # figure 6 and its pairwise twin


def test_what_was_left_out_and_notices_are_told():
    outcome = make_outcome(("fig4",), tasks=2, layers=1)
    page, notice = page_of(outcome), outcome["notices"][0]
    assert "#all-skipped" in page.all("a", "href")
    assert notice in page.text
    page = page_of({**outcome, "skipped": [], "notices": []})
    assert "#all-skipped" not in page.all("a", "href")
    assert notice not in page.text


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
    assert [tag for tag, _ in reader.tags].count("script") == 3  # data, library and our own
    assert reader.text.count(EVIL) >= 10


@pytest.mark.slow
def test_same_outcome_same_bytes(written, tmp_path):
    outcome, _, _ = written
    again = json.loads(json.dumps(outcome))
    assert outcome_page(again) == outcome_page(outcome)
    some = ("fig2", "fig5", "overlap", "causal")  # each kind of figure
    for one, place in ((outcome, "first"), (again, "second")):
        results = [result for result in one["results"] if result["experiment"] in some]
        (tmp_path / place).mkdir()
        names = write_outcome(one | {"results": results}, tmp_path / place)
    assert len(names) == 15 + 2 * 6 + 2
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


@pytest.mark.parametrize(
    "changes", [{"tasks": 1, "layers": 1, "lambdas": (1.0,)}, {"tasks": 2, "layers": [7]}], ids=str
)
def test_the_least_outcome_has_a_page(changes):
    outcome = make_outcome(**changes)
    outcome |= {"skipped": [], "notices": [], "verdicts": []}
    reader = page_of(outcome)
    assert "None" not in reader.text
    assert set(reader.all("section", "id")) == {*(f"all-{name}" for name in (*ALL, "baselines")), "settings"}


def test_nothing_to_show_is_a_page_too():
    outcome = make_outcome((), tasks=1, layers=1)
    assert outcome["recipe"]["title"] in page_of(outcome).text
