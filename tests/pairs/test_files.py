"""Files of pairs: what is read, and what is refused in which words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neurosteer.errors import InputError
from neurosteer.pairs import Pair, load_pairs

ROWS = [
    ("The cat sleeps.", "The cat sleep."),
    ('"Go," said Ann, Bob\'s aunt.', "Ann go."),
    ("Élan is.", "Élan are."),
]
GOOD_LINE = '{"sentence_good": "A b.", "sentence_bad": "A c."}\n'


def refusal(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        load_pairs(source=str(path), **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(path), "FILE")


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps({"sentence_good": g, "sentence_bad": b}) + "\n" for g, b in ROWS), "utf-8")


def write_csv(path: Path) -> None:
    mark = "," if path.suffix == ".csv" else "\t"
    quoted = (mark.join('"' + field.replace('"', '""') + '"' for field in row) for row in ROWS)
    path.write_text("\n".join([f"sentence_good{mark}sentence_bad", *quoted]), "utf-8")


def write_parquet(path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    good, bad = zip(*ROWS, strict=True)
    parquet.write_table(pyarrow.table({"sentence_good": good, "sentence_bad": bad}), path)


WRITERS = {".jsonl": write_jsonl, ".csv": write_csv, ".tsv": write_csv, ".parquet": write_parquet}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_kind_gives_the_same_pairs(tmp_path: Path, suffix: str):
    path = tmp_path / f"mine{suffix}"
    WRITERS[suffix](path)
    pairs = load_pairs(source=str(path))
    assert pairs.task == "mine"
    assert pairs.source == str(path)
    assert pairs.phenomenon is None
    assert pairs.pairs == tuple(Pair(good, bad, str(row)) for row, (good, bad) in enumerate(ROWS))
    assert load_pairs("mine", source=str(path), limit=2) == pairs.limit(2)


def test_bom_crlf_blank_lines_and_line_separators(tmp_path: Path):
    path = tmp_path / "mine.jsonl"
    text = "\ufeff" + GOOD_LINE + "\n" + '{"sentence_good": " A\u2028d. ", "sentence_bad": "\\tA e. "}\n'
    path.write_bytes(text.replace("\n", "\r\n").encode())
    assert [(pair.good, pair.bad) for pair in load_pairs(source=str(path))] == [
        ("A b.", "A c."),
        ("A\u2028d.", "A e."),
    ]
    table = tmp_path / "table.csv"
    table.write_bytes(b"\xef\xbb\xbfsentence_good,sentence_bad\r\nA b.,A c.\r\nA d.,A e.\r\n")
    assert len(load_pairs(source=str(table))) == 2


def test_own_columns_and_ids(tmp_path: Path):
    path = tmp_path / "mine.csv"
    path.write_text("yes,no,pairID,UID\na,b,7,x\nc,d,7,y\ne,f,,z\n")
    pairs = load_pairs(source=str(path), columns=("yes", "no"))
    assert [pair.id for pair in pairs] == ["7", "1", "2"]


AGAIN = "; name yours with --columns GOOD,BAD"
PER_LINE = "; one JSON object per line is expected"
BAD_LINES = {
    "": "'FILE' is empty: it holds no pairs",
    GOOD_LINE: "'FILE' holds only 1 pair; at least 2 are needed",
    GOOD_LINE + '{"sentence_good": \n': ("FILE, line 2: malformed JSON (Expecting value)" + PER_LINE),
    GOOD_LINE + "[" * 100_000: "FILE, line 2: malformed JSON (cannot be parsed)" + PER_LINE,
    GOOD_LINE + '\n["a", "b"]\n': (
        "FILE, line 3: expected an object with sentence_good and sentence_bad, found a list"
    ),
    '{"sentence_good": "a", "wrong": "b"}\n': (
        "FILE, line 1: no column 'sentence_bad' (found: sentence_good, wrong)" + AGAIN
    ),
    "{}\n": "FILE, line 1: no column 'sentence_good' (found: none)" + AGAIN,
    '{"sentence_good": 3}\n': "FILE, line 1: 'sentence_good' must be a sentence, not a number",
    '{"sentence_good": null}\n': "FILE, line 1: 'sentence_good' must be a sentence, not null",
    '{"sentence_good": "a", "sentence_bad": "  "}\n': "FILE, line 1: 'sentence_bad' is empty",
    GOOD_LINE + '{"sentence_good": "A b. ", "sentence_bad": "A b."}\n': (
        "'FILE' holds only 1 pair that counts (repeats: 0, the same sentence twice: 1); at least 2 are needed"
    ),
    '{"sentence_good": "a\\u0000", "sentence_bad": "b"}\n': (
        "FILE, line 1: 'sentence_good' holds a character that is no text (NUL or half of a surrogate pair)"
    ),
    '{"sentence_good": "\\ud800", "sentence_bad": "b"}\n': (
        "FILE, line 1: 'sentence_good' holds a character that is no text (NUL or half of a surrogate pair)"
    ),
}


@pytest.mark.parametrize(("text", "message"), BAD_LINES.items(), ids=range(len(BAD_LINES)))
def test_bad_jsonl(tmp_path: Path, text: str, message: str):
    path = tmp_path / "mine.jsonl"
    path.write_text(text, "utf-8")
    assert refusal(path) == message


BAD_TABLES = {
    "": "'FILE' is empty: it holds no pairs",
    "sentence_good,sentence_bad\n": "'FILE' is empty: it holds no pairs",
    "yes,no\na,b\n": ("FILE, line 2: no column 'sentence_good' (found: yes, no)" + AGAIN),
    "sentence_good,sentence_bad\na,b\nc\n": "FILE, line 3: 'sentence_bad' must be a sentence, not null",
    "sentence_good,sentence_bad\na,b\nc, d, e\n": "FILE, line 3: 3 fields under 2 column names; put a sentence "
    "that holds the delimiter in quotation marks",
    'sentence_good,sentence_bad\na,b\n"c,d\n': "FILE, line 3: malformed CSV (unexpected end of data); is a "
    "quotation mark left open?",
}


@pytest.mark.parametrize(("text", "message"), BAD_TABLES.items(), ids=range(len(BAD_TABLES)))
def test_bad_csv(tmp_path: Path, text: str, message: str):
    path = tmp_path / "mine.csv"
    path.write_text(text, "utf-8")
    assert refusal(path) == message


def test_bad_bytes(tmp_path: Path):
    for name in ("mine.jsonl", "mine.csv"):
        path = tmp_path / name
        path.write_bytes(b"sentence_good,sentence_bad\n" * (name == "mine.csv") + GOOD_LINE.encode()[:-1] + b"\xff\n")
        line = 2 if name == "mine.csv" else 1
        assert refusal(path) == f"FILE, line {line}: not UTF-8 (byte 0xff); save the file as UTF-8"
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"no parquet")
    assert refusal(path).startswith("'FILE' is not a readable Parquet file: ")


def test_unknown_kind_of_file(tmp_path: Path):
    path = tmp_path / "mine.xlsx"
    path.write_text("a\tb\n")
    kinds = ".jsonl, .json, .csv, .tsv, .parquet, .txt"
    assert refusal(path) == f"'FILE' is of an unknown kind; a file of pairs ends in {kinds}"
