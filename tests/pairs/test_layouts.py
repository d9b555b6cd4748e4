"""The layouts in which others publish pairs: found where that is possible, said in one notice, and overridden."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import Pairs, load_pairs, load_tasks, read_layout
from neurosteer.progress import Progress
from neurosteer.store import MANIFEST

PAIRS = [(f"The cat {i} sleeps, it seems.", f"The cat {i} sleep, it seems.") for i in range(6)]


class Heard(Progress):
    """Remembers what is said."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def table(
    *columns: str, rows: list[tuple[Any, ...]], mark: str = ",", end: str = "\n", quoting: Any = csv.QUOTE_MINIMAL
) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator=end, quoting=quoting).writerows(
        [columns, *rows] if columns else rows
    )
    return text.getvalue()


def objects(*columns: str, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def in_lines(*columns: str, rows: list[tuple[Any, ...]]) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects(*columns, rows=rows))


PAIRS_TOO = [(f"A dog {i} runs.", f"A dog {i} run.") for i in range(6)]
SINGLE = [(i, *one) for i, (good, bad) in enumerate(PAIRS) for one in ((good, 1), (bad, 0))]
APART = [SINGLE[i] for i in (0, 2, 5, 4, 11, 1, 3, 7, 10, 6, 8, 9)]  # no pair is of neighbours
EITHER = [(bad, good, 1.0) if i % 2 else (good, bad, 0.0) for i, (good, bad) in enumerate(PAIRS)]
COMPS = [(good.split(",")[0] + ",", bad.split(",")[0] + ",", "it seems.") for good, bad in PAIRS]


def said(label: Any) -> list[tuple[Any, ...]]:
    return [(sentence, label(good)) for _, sentence, good in SINGLE]


# name, content, what else is asked, and a part of the notice
FOUND: list[tuple[str, str, dict[str, Any], str]] = [
    *(
        (f"a-{good}.jsonl", in_lines(good, bad, "note", rows=[(*pair, 1) for pair in PAIRS]), {}, f"'{good}'")
        for good, bad in (
            ("good", "bad"),
            ("acceptable", "unacceptable"),
            ("correct", "incorrect"),
            ("grammatical", "ungrammatical"),
            ("original", "corrupted"),
            ("good_sentence", "bad_sentence"),
            ("sen", "wrong_sen"),
            ("source_sentence", "target_sentence"),
            ("Grammatical Sentence", "Ungrammatical Sentence"),
        )
    ),
    (
        "comps.csv",
        table("prefix_acceptable", "prefix_unacceptable", "property_phrase", rows=COMPS),
        {},
        "good sentences in 'prefix_acceptable+property_phrase'",
    ),
    (
        "ewok.jsonl",
        in_lines("Target1", "Context1", "Target2", rows=[(a[8:], "The cat", b[8:]) for a, b in PAIRS]),
        {},
        "bad ones in 'Context1+Target2'",
    ),
    ("with-id.csv", table("pair", "sentence", "label", rows=SINGLE), {}, "pairs by 'pair'"),
    ("mixed.csv", table("Item", "Sentence", "Grammaticality", rows=APART), {}, "pairs by 'Item'"),
    (
        "words.tsv",
        table("text", "acceptability", rows=said(lambda good: "acceptable" if good else "*"), mark="\t"),
        {},
        "whether it is good in 'acceptability'; pairs of neighbouring rows",
    ),
    ("truths.jsonl", in_lines("sentence", "is_grammatical", rows=said(bool)), {}, "one sentence a row in 'sentence'"),
    ("either.jsonl", in_lines("sentence_a", "sentence_b", "label", rows=EITHER), {}, "0 the first, 1 the second"),
    ("clams.txt", "".join(f"{bool(good)}\t{s}\n" for s, good in said(int)), {}, "no line of column names"),
    *(
        (
            f"quoted.{kind}",
            table(rows=[(bool(good), s) for s, good in said(int)], mark=mark, quoting=csv.QUOTE_ALL),
            {},
            "no line of column names",
        )
        for kind, mark in (("csv", ","), ("tsv", "\t"), ("txt", ";"))
    ),
    ("few-quoted.csv", "".join(f'{bool(good)},"{s}"\n' for s, good in said(int)), {}, "no line of column names"),
    ("spaced.csv", "".join(f'{bool(good)}, "{s}"\n' for s, good in said(int)), {}, "no line of column names"),
    (
        "spaced-pairs.csv",
        "good, bad\n" + "".join(f'"{a}", "{b}"\n' for a, b in PAIRS),
        {},
        "'good', bad ones in 'bad'",
    ),
    *(
        (
            f"named-{word}.csv",
            table("sentence", word, rows=said(lambda good, w=word, un=un: w if good else f"{un}{w}")),
            {},
            word,
        )
        for word, un in (("grammatical", "un"), ("correct", "in"), ("acceptable", "un"))
    ),
    (
        "named-otherwise.tsv",
        table("Satz", "correct", rows=said(lambda good: "correct" if good else "incorrect"), mark="\t"),
        {"layout": "sentence=Satz"},
        "whether it is good in 'correct'",
    ),
    ("comma.txt", table("good", "bad", rows=PAIRS), {}, "parted by comma"),
    ("semicolon.txt", table("Satz", "Unsatz", rows=PAIRS, mark=";"), {"columns": ("Satz", "Unsatz")}, "by semicolon"),
    ("blank-first.csv", "\n \n" + table("sentence_good", "sentence_bad", rows=PAIRS), {}, ""),
    ("behind.tsv", "".join(f"{s}\t{good}\n" for s, good in said(int)), {}, "one sentence a row in 'sentence'"),
    ("swapped.txt", "".join(f"False\t{b}\r\nTrue\t{a}\r\n" for a, b in PAIRS), {}, "pairs of neighbouring rows"),
    (
        "climp.csv",
        table("", "0", "1", "2", "3", rows=[(i, "BA", "ba", *one) for i, one in enumerate(said(int))]),
        {"layout": "sentence=2,label=3,phenomenon=0"},
        "pairs of neighbouring rows",
    ),
    (
        "turblimp.csv",
        table("good_sentence", "bad_sentence", "good_cue", rows=[(*one, "") for one in PAIRS], mark=";"),
        {},
        "'good_sentence', bad ones in 'bad_sentence'; fields parted by semicolon",
    ),
    ("semicolon.csv", table("sentence_good", "sentence_bad", rows=PAIRS, mark=";"), {}, "parted by semicolon"),
    ("bar.csv", table("good", "bad", "a, note", rows=[(*one, 1) for one in PAIRS], mark="|"), {}, "parted by bar"),
    ("tab.csv", table("sentence_good", "sentence_bad", rows=PAIRS, mark="\t"), {}, "parted by tab"),
    ("comma.tsv", table("sentence_good", "sentence_bad", rows=PAIRS), {}, "parted by comma"),
    ("headed.txt", table("sentence_good", "sentence_bad", rows=PAIRS, mark="\t"), {}, ""),
    ("mac.csv", table("sentence_good", "sentence_bad", rows=PAIRS, end="\r"), {}, ""),
    ("mac.jsonl", in_lines("sentence_good", "sentence_bad", rows=PAIRS).replace("\n", "\r"), {}, ""),
    ("windows.txt", "\r\n".join(f"{a}\r\n{b}\r\n" for a, b in PAIRS), {"layout": "good-bad"}, ""),
    ("lines.txt", "".join(f"{b}\n{a}\n" for a, b in PAIRS), {"layout": "bad-good"}, ""),
    (
        "column.csv",
        table("satz", rows=[(s,) for one in PAIRS for s in one]),
        {"layout": "good-bad,sentence=satz"},
        "",
    ),
    ("bare.csv", table(rows=PAIRS), {"layout": "good-bad"}, ""),
    ("turned.tsv", table(rows=[(b, a) for a, b in PAIRS], mark="\t"), {"layout": "bad-good"}, ""),
    ("array.json", json.dumps(objects("sentence_good", "sentence_bad", rows=PAIRS), indent=1), {}, ""),
    ("array.jsonl", json.dumps(objects("sentence_good", "sentence_bad", rows=PAIRS)), {}, ""),
    ("single.json", json.dumps(objects("pair_id", "sentence", "label", rows=APART)), {}, "pairs by 'pair_id'"),
    ("lines.json", in_lines("sentence_good", "sentence_bad", rows=PAIRS), {}, ""),
]


@pytest.mark.parametrize(("name", "content", "asked", "told"), FOUND, ids=[one[0] for one in FOUND])
def test_a_layout_is_found(tmp_path: Path, name: str, content: str, asked: dict[str, Any], told: str):
    """The pairs are those that were written, the notice says what was taken for what, and the record repeats it."""
    (tmp_path / name).write_bytes(content.encode())
    progress = Heard()
    found = load_pairs(source=str(tmp_path / name), progress=progress, **asked)
    assert sorted(found.sentences) == PAIRS
    assert found.task == Path(name).stem
    notice = "".join(progress.notices)
    assert (len(progress.notices), told in notice) == (bool(told), True), notice
    if told:
        assert notice.startswith(f"'{tmp_path / name}': ")
    again = load_pairs(source=str(tmp_path / name), layout=found.layout or "auto", progress=Heard())
    assert again.digest == found.digest


def test_what_is_found_is_recorded(tmp_path: Path):
    (tmp_path / "a.csv").write_text(table("right", "wrong", rows=PAIRS))
    found = load_pairs(source=str(tmp_path / "a.csv"), progress=Heard())
    assert found.describe()["layout"] == found.layout == "good=right,bad=wrong,task=,phenomenon="
    assert found.limit(3).layout == found.layout
    plain = Pairs.from_lists(*zip(*PAIRS, strict=True))
    assert (plain.layout, "layout" in plain.describe()) == ("", False)


def test_a_wrong_guess_is_overridden(tmp_path: Path):
    """A column that is called `good` holds something else; the label is the other way round; neighbours are pairs."""
    (tmp_path / "a.csv").write_text(table("good", "bad", "ja", "nein", rows=[("x", "y", *pair) for pair in PAIRS]))
    source = str(tmp_path / "a.csv")
    for asked in ({"layout": "good=ja,bad=nein"}, {"columns": ("ja", "nein")}):
        assert load_pairs(source=source, progress=Heard(), **asked).sentences == PAIRS
    rows = [(7, 0, *one) for one in said(int)]
    (tmp_path / "b.csv").write_text(table("pair", "label", "sentence", "ok", rows=rows))
    source = str(tmp_path / "b.csv")
    with pytest.raises(InputError, match=r"line 2: pair '7' has 6 good and 6 bad sentences; a pair is one of each"):
        load_pairs(source=source, layout="label=ok")
    assert load_pairs(source=source, layout="label=ok,pair=", progress=Heard()).sentences == PAIRS
    (tmp_path / "c.csv").write_text(table("sentence_good;x", "y", rows=[("a", "b")]))
    with pytest.raises(InputError, match="no column 'sentence_good'"):
        load_pairs(source=str(tmp_path / "c.csv"), layout="delimiter=comma", progress=Heard())


@pytest.mark.parametrize("column", ["paradigm", "UID", "task", "Paradigm"])
def test_a_column_makes_tasks(tmp_path: Path, column: str):
    of = ["binding" if i % 2 else "wh" for i in range(6)]
    rows = [(*pair, name, name.upper() + " rules") for pair, name in zip(PAIRS, of, strict=True)]
    (tmp_path / "a.csv").write_text(table("sentence_good", "sentence_bad", column, "category", rows=rows))
    progress = Heard()
    found = {one.task: one for one in load_tasks(["all"], source=str(tmp_path / "a.csv"), progress=progress)}
    assert {task: one.sentences for task, one in found.items()} == {"binding": PAIRS[1::2], "wh": PAIRS[::2]}
    assert {task: one.phenomenon for task, one in found.items()} == {"binding": "binding_rules", "wh": "wh_rules"}
    assert progress.notices == [
        f"'{tmp_path}/a.csv': a task for each '{column}'; phenomena in 'category' (--layout says otherwise)"
    ]
    assert [one.task for one in load_tasks(["wh_rules"], source=str(tmp_path / "a.csv"))] == ["wh"]
    assert load_pairs("wh", source=str(tmp_path / "a.csv")).sentences == PAIRS[::2]
    whole = load_pairs(source=str(tmp_path / "a.csv"), layout="task=", progress=progress)
    assert (whole.task, whole.sentences) == ("a", PAIRS)
    assert "one task of 2 phenomena (--layout task=category parts them)" in progress.notices[-1]


def test_tasks_of_sentences_in_rows_of_their_own(tmp_path: Path):
    """A pair's number stands for another pair in every paradigm, as in BLiMP-NL's own files."""
    rows = [
        ("Anaphor agreement", paradigm, i % 3, "Grammatical" if good else "Ungrammatical", sentence)
        for paradigm, numbers in (("number", range(3)), ("person", range(3, 6)))
        for i, sentence, good in SINGLE
        if i in numbers
    ]
    columns = ("Phenomenon", "Paradigm", "Item", "Grammaticality", "Sentence")
    (tmp_path / "a.csv").write_text(table(*columns, rows=rows))
    found = load_tasks(["all"], source=str(tmp_path / "a.csv"), progress=Heard())
    assert {one.task: one.sentences for one in found} == {"number": PAIRS[:3], "person": PAIRS[3:]}
    assert {one.phenomenon for one in found} == {"anaphor_agreement"}
    assert [pair.id for pair in found[1]] == ["0", "1", "2"]


@pytest.mark.parametrize("term", ["linguistics_term", "phenomenon", "field"])
def test_phenomena_without_tasks(tmp_path: Path, term: str):
    (tmp_path / "a.csv").write_text(table("good", "bad", term, rows=[(*one, "Word-Order") for one in PAIRS]))
    assert load_pairs(source=str(tmp_path / "a.csv"), progress=Heard()).phenomenon == "word_order"


def test_what_names_every_row_makes_no_tasks(tmp_path: Path):
    rows = [(*pair, f"row {i}") for i, pair in enumerate(PAIRS)]
    (tmp_path / "a.csv").write_text(table("sentence_good", "sentence_bad", "UID", rows=rows))
    progress = Heard()
    assert load_pairs(source=str(tmp_path / "a.csv"), progress=progress).sentences == PAIRS
    assert "one task, as 'UID' has a value of its own in nearly every row" in progress.notices[0]


def test_one_value_leaves_the_file_its_name(tmp_path: Path):
    """As in BLiMP's files, whose task is called like the file: nothing changes for a copy under another name."""
    rows = [(*pair, "wh_island") for pair in PAIRS]
    (tmp_path / "mine.csv").write_text(table("sentence_good", "sentence_bad", "UID", rows=rows))
    progress = Heard()
    found = load_pairs(source=str(tmp_path / "mine.csv"), progress=progress)
    assert (found.task, found.layout, progress.notices) == ("mine", "", [])
    asked = load_pairs(source=str(tmp_path / "mine.csv"), layout="task=UID", progress=progress)
    assert asked.task == "wh_island"


def test_a_row_without_a_task(tmp_path: Path):
    rows = [(*pair, "abca  "[i]) for i, pair in enumerate([*PAIRS[:4], *PAIRS[4:]])]
    rows[2:4] = [(*PAIRS[2], "a"), (*PAIRS[3], "b")]
    (tmp_path / "a.csv").write_text(table("sentence_good", "sentence_bad", "task", rows=rows))
    with pytest.raises(InputError, match=r"a\.csv, line 6: 'task' is empty, so it does not say which task"):
        load_tasks(["all"], source=str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    "text", ["auto", "good-bad", "good=a,bad=b c,task=", "bad-good,sentence=s,pair=,delimiter=tab"]
)
def test_a_layout_is_read_as_it_is_written(text: str):
    assert str(read_layout(text)) == text
    assert read_layout(str(read_layout(text))) == read_layout(text)


def test_quotation_marks_of_a_sentence_stay(tmp_path: Path):
    """Where no line quotes its sentence as a table does they are letters; where some do nobody can tell."""
    pairs = [('"Go," said Ann.', '"Go," say Ann.'), ('"Come," said Bob.', '"Come," say Bob.')]
    lines = "".join(f"True\t{good}\nFalse\t{bad}\n" for good, bad in pairs)
    (tmp_path / "a.txt").write_text(lines)
    assert load_pairs(source=str(tmp_path / "a.txt"), progress=Heard()).sentences == pairs
    quoted = 'True\t"Come," said Bob.\nFalse\t"The cat sleep."\n'
    for name, content in (("b.tsv", quoted), ("b.csv", 'True,"Go" he said.\nFalse,"Go" he say.\n')):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=rf"{name}, line 1: a field begins with a quotation mark and goes on"):
            load_pairs(source=str(tmp_path / name), progress=Heard())


def test_all_means_all_whatever_tasks_are_called(tmp_path: Path):
    """A task that is called like a request for several is one of them, and can be had alone."""
    rows = [(*pair, ("all", "*", "b[c]", "bc")[i % 4]) for i, pair in enumerate(PAIRS + PAIRS_TOO)]
    (tmp_path / "a.csv").write_text(table("sentence_good", "sentence_bad", "task", rows=rows))

    def named(request: str) -> list[str]:
        return [one.task for one in load_tasks([request], source=str(tmp_path / "a.csv"), progress=Heard())]

    assert named("all") == named("*") == ["*", "all", "b[c]", "bc"]
    assert named("b[c]") == ["b[c]", "bc"]
    assert (named("[a]ll"), named("[*]")) == (["all"], ["*"])
    assert load_pairs("all", source=str(tmp_path / "a.csv"), progress=Heard()).task == "all"
    for name in ("all", "b"):
        write_pairs(tmp_path / "files" / f"{name}.jsonl")
    assert [one.task for one in load_tasks(["all"], source=str(tmp_path / "files"))] == ["all", "b"]
    assert load_pairs("all", source=str(tmp_path / "files")).task == "all"


@pytest.mark.parametrize("label", ["good", "bad", True, False, "yes", "correct", "a", 2, "-"])
def test_only_numbers_say_which_of_two_is_good(tmp_path: Path, label: Any):
    (tmp_path / "a.jsonl").write_text(
        in_lines("sentence_a", "sentence_b", "label", rows=[(*one, label) for one in PAIRS])
    )
    with pytest.raises(InputError, match="write 0 where the first sentence is good and 1 where the second is"):
        load_pairs(source=str(tmp_path / "a.jsonl"), progress=Heard())


@pytest.mark.parametrize(
    "names", [("sentence_good", "sentence_bad", "sentence_good "), ("Good", "bad", "good"), ("good", "bad", "BAD")]
)
def test_columns_that_differ_by_case_or_blanks(tmp_path: Path, names: tuple[str, ...]):
    """Nobody can tell which is meant, unless it is said."""
    rows = [(*one, "The dog sleeps.") for one in PAIRS]
    for name, content in (("a.csv", table(*names, rows=rows)), ("a.jsonl", in_lines(*names, rows=rows))):
        (tmp_path / name).write_text(content)
        with pytest.raises(
            InputError, match=r"the columns '.*' and '.*' differ by case or blanks alone; rename or re"
        ):
            load_pairs(source=str(tmp_path / name), progress=Heard())
        asked = f"good={names[0]},bad={names[1]}"
        assert load_pairs(source=str(tmp_path / name), layout=asked, progress=Heard()).sentences == PAIRS
    (tmp_path / "b.csv").write_text(
        table("sentence_good", "sentence_bad", "Note", "note", rows=[(*o, 1, 2) for o in PAIRS])
    )
    assert load_pairs(source=str(tmp_path / "b.csv"), progress=Heard()).sentences == PAIRS


ADVICE = {  # a file, its content, and the way out that helps
    "bare.csv": (
        table(rows=PAIRS),
        "is the first line a sentence? put a line of column names before it, or give --layout ",
    ),
    "three.tsv": (
        table(rows=[("x", bool(good), s) for s, good in said(int)], mark="\t"),
        "is the first line a sentence? put a line of column names before it, or give --layout ",
    ),
    "rows.csv": (
        table("sentence", "error", rows=said(int)),
        "name yours with --layout sentence=COLUMN,label=COLUMN, or",
    ),
    "one.csv": (
        table("satz", rows=[(a,) for a, _ in PAIRS]),
        "where good and bad rows alternate, give --layout good-",
    ),
    "beside.txt": (
        "".join(f"{a}|{b}\n" for a, b in PAIRS),
        "where a line holds both, --layout good-bad,delimiter=bar",
    ),
    "blank.txt": ("".join(f"{bool(good)} {s}\n" for s, good in said(int)), "put a tab between label and sentence"),
    "whole.json": (
        json.dumps({"data": []}, indent=1),
        "holds one JSON object; a file of pairs has one object a line, or ",
    ),
    "none.json": ("[]", "is empty: it holds no pairs"),
    "mixed.json": (
        '[{"sentence_good": "a", "sentence_bad": "b"},\n3]',
        "item 2: expected an object with sentence_good",
    ),
    "half.tsv": (
        'good\tbad\n"A" b\t"A" c\n',
        "malformed TSV: a field begins with a quotation mark and goes on after",
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_that_helps(tmp_path: Path, name: str):
    content, told = ADVICE[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        load_pairs(source=str(tmp_path / name), progress=Heard())
    assert told in str(caught.value)
    assert "\t" not in str(caught.value)


# --- folders -----------------------------------------------------------------------------------------------------


def write_pairs(path: Path, pairs: list[tuple[str, str]] = PAIRS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(in_lines("sentence_good", "sentence_bad", rows=pairs))


def test_folders_are_searched_below(tmp_path: Path):
    """A name that several folders have is said with its folder; hidden folders and results of runs hold no pairs."""
    for name in ("top", "en/agreement/simple", "en/npi", "de/agreement/simple", "en/top", "de/data.jsonl/deep"):
        write_pairs(tmp_path / f"{name}.jsonl")
    write_pairs(tmp_path / ".git" / "hidden.jsonl")
    for mark in (MANIFEST, "recipe.json"):
        write_pairs(tmp_path / "runs" / mark / "table.jsonl")
        (tmp_path / "runs" / mark / mark).write_text("{}")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "en" / "README.txt").write_text("Some words.\nNo pairs.\n")
    progress = Heard()
    found = load_tasks(["all"], source=str(tmp_path), progress=progress)
    expected = ["de/agreement/simple", "deep", "en/agreement/simple", "en/top", "npi", "top"]
    assert [one.task for one in found] == expected
    assert all(one.sentences == PAIRS for one in found)
    [notice] = progress.notices
    assert "5 of its files are in folders below it (" in notice
    assert "README.txt left out: nothing says which of its lines are good" in notice
    assert load_pairs("en/top", source=str(tmp_path)).sentences == PAIRS


def test_a_linked_folder_is_searched(tmp_path: Path):
    write_pairs(tmp_path / "store" / "a.jsonl")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "store", target_is_directory=True)
    assert load_pairs(source=str(tmp_path / "data")).task == "a"


def test_texts_in_a_folder(tmp_path: Path):
    """CLAMS: a folder for each language, in it texts that label their lines."""
    for language, pairs in (("en", PAIRS[:3]), ("de", PAIRS[3:])):
        (tmp_path / f"{language}_evalset").mkdir()
        lines = "".join(f"True\t{a}\nFalse\t{b}\n" for a, b in pairs)
        (tmp_path / f"{language}_evalset" / "simple_agrmt.txt").write_text(lines)
    (tmp_path / "notes.txt").write_text("nothing\n")
    (tmp_path / "table.txt").write_text(table("good", "bad", rows=PAIRS))
    found = load_tasks(["all"], source=str(tmp_path), progress=Heard())
    assert {one.task: one.sentences for one in found} == {
        "de_evalset/simple_agrmt": PAIRS[3:],
        "en_evalset/simple_agrmt": PAIRS[:3],
        "table": PAIRS,
    }


def test_only_what_is_asked_for_is_read(tmp_path: Path):
    """A broken file beside it matters to nobody who did not ask for it."""
    write_pairs(tmp_path / "good.jsonl")
    (tmp_path / "broken.jsonl").write_text("{")
    for wanted in ("good", "g*"):
        assert [one.task for one in load_tasks([wanted], source=str(tmp_path))] == ["good"]
    with pytest.raises(InputError, match=r"broken\.jsonl, line 1: malformed JSON"):
        load_tasks(["all"], source=str(tmp_path))


def test_two_files_with_the_same_paradigms(tmp_path: Path):
    for name, pairs in (("one", PAIRS[:4]), ("two", PAIRS[2:])):
        rows = [(*pair, "ab"[i % 2]) for i, pair in enumerate(pairs)]
        (tmp_path / f"{name}.csv").write_text(table("good", "bad", "task", rows=rows))
    found = load_tasks(["all"], source=str(tmp_path), progress=Heard())
    assert [one.task for one in found] == ["one/a", "one/b", "two/a", "two/b"]
    assert found[3].sentences == [PAIRS[3], PAIRS[5]]


# --- from Python -------------------------------------------------------------------------------------------------


def test_frames_and_lists_that_are_refused():
    import pandas as pd

    twice = pd.DataFrame([("a", "b", "c"), ("d", "e", "f")], columns=["good", "bad", "good"])
    half = pd.DataFrame({"good": ["a", "b"], "bad": ["c", "d"], "note": ["", "\ud800"]}, dtype=object)
    twin = pd.DataFrame([("a", "b", "c"), ("d", "e", "f")], columns=["sentence_good", "sentence_bad", "Sentence_Bad"])
    with pytest.raises(
        InputError, match="the DataFrame: the columns 'sentence_bad' and 'Sentence_Bad' differ by case"
    ):
        Pairs.from_frame(twin)
    for frame, message in (
        (twice, "the DataFrame: the column 'good' is there 2 times; rename or remove one"),
        (half, "row 1: 'note' holds a character that is no text (NUL or half of a surrogate pair)"),
    ):
        with pytest.raises(InputError) as caught:
            Pairs.from_frame(frame, columns=("good", "bad"))
        assert str(caught.value) == message
    with pytest.raises(InputError, match="pair 1: 'bad' holds a character that is no text"):
        Pairs.from_lists(["a", "b"], ["c", "\udfff"])
