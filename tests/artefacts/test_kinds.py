"""Artefacts are not trusted: one that is wrong inside is refused, though its digest fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept_artefacts import keep_artefacts
from made_pairs import made_pairs

from neurosteer.artefacts import KINDS, WrongContentError, check_path
from neurosteer.cli import main
from neurosteer.errors import CorruptFileError, InputError
from neurosteer.forward import eos_states
from neurosteer.model import Model
from neurosteer.neurons import NeuronSet, Ranking
from neurosteer.progress import Progress
from neurosteer.store import artefact_kind, read_artefact, write_artefact

Change = Callable[[Any], Any]
NAN, INF = float("nan"), float("inf")
WRONG: list[tuple[str, str, Change | None, str]] = [
    ("neurons", "units", lambda was: was[:-1], "'units' has 2 neurons, not 3 as in 'layers'"),
    ("neurons", "units", None, "it has no array 'units'"),
    ("neurons", "units", lambda was: was + 0.5, "'units' holds float64, not whole numbers"),
    ("neurons", "units", lambda was: was * 0 + was[0], "stands there twice"),
    ("neurons", "units", lambda was: was - was.max() - 1, "which is below 0"),
    ("neurons", "units", lambda was: was + 10_000, "there is no unit 100"),
    ("neurons", "layers", lambda was: was + 7, "layer 7 is not among its 'stats_layers'"),
    ("neurons", "scores", lambda was: was * NAN, "'scores' holds a value that is no finite number"),
    ("neurons", "scores", lambda was: was.astype(bool), "'scores' holds bool, not numbers"),
    ("neurons", "scores", lambda was: was[:, None], "'scores' has 2 axes, not 1"),
    ("neurons", "token_var", lambda was: -was - 1, "'token_var' holds"),
    ("neurons", "token_mean", lambda was: was + INF, "'token_mean' holds a value that is no finite number"),
    ("neurons", "stats_tokens", lambda was: was.repeat(2), "'stats_tokens' has 2 values, not 1"),
    ("neurons", "stats_tokens", lambda was: was * 0, "'stats_tokens' is 0, and yet 'token_mean' is known"),
    ("ranking", "stats_tokens", lambda was: was * 0, "'stats_tokens' is 0, and yet 'token_mean' is known"),
    ("found", "stats_tokens", lambda was: was * 0, "'stats_tokens' is 0, and yet 'token_mean' is known"),
    *(
        (kind, field, lambda was, wrong=wrong: wrong, f"'{field}' is {wrong!r} (")
        for kind in ("neurons", "direction")
        for field, wrong in (
            ("method", 7),
            ("position", "zzz"),
            ("split", "zzz"),
            ("seed", -1),
            ("task", None),
        )
    ),
    *(
        ("neurons", "k", lambda was, wrong=wrong: wrong, f"'k' is {wrong!r} (")
        for wrong in (-5, 0, "abc", "0", "-1%")
    ),
    *(
        ("neurons", "network", lambda was, wrong=wrong: {**was, **wrong}, f"'network.{told} (input should be")
        for wrong, told in (({"bos": "x"}, "bos' is 'x'"), ({"eos": -1}, "eos' is -1"), ({"name": 3}, "name' is 3"))
    ),
    ("ranking", "attribution", lambda was: {"to": "zzz"}, "'attribution.to' is 'zzz' ("),
    ("ranking", "attribution", lambda was: {"to": "zero", "steps": 0}, "'attribution.steps' is 0 ("),
    ("ranking", "probes", lambda was: {"l2": {"0": -1}}, "'probes.l2.0' is -1 ("),
    ("neurons", "site", lambda was: "resid_past", "'site' is 'resid_past' (input should be"),
    ("neurons", "model", None, "it has no 'model'"),
    ("neurons", "network", lambda was: "llama", "'network' is 'llama' (input should be"),
    ("neurons", "seen", lambda was: 3, "'seen' is 3 (input should be"),
    ("neurons", "seed", lambda was: "0", "'seed' is '0' (input should be"),
    ("ranking", "scores", lambda was: was[:, :-1], "'token_mean'"),
    ("ranking", "best_layer", lambda was: 9, "its best layer 9 is not among its 'stats_layers'"),
    ("ranking", "best_layer", lambda was: "first", "'best_layer' is 'first'"),
    ("ranking", "method", lambda was: 3, "'method' is 3"),
    ("gates", "eos_var", lambda was: was[0], "'eos_var' has 1 axes, not 2"),
    ("gates", "stats_layers", lambda was: was.repeat(2), "not 1 as in 'scores'"),
    ("heads", "group", lambda was: 5, "'group' is 5, which does not part 32 units"),
    ("heads", "group", lambda was: 32, "it has a part of 32 units that go together"),
    ("direction", "vector", lambda was: was * 2, "'vector' is of length 2, not 1"),
    ("direction", "std", lambda was: -1 - was, "'std' holds"),
    ("probes", "directions", lambda was: was * INF, "'directions' holds a value that is no finite number"),
    ("probes", "spread", lambda was: -1 - was, "'spread' holds"),
    ("probes", "test", lambda was: was + 10_000, "the split names pair 10"),
    ("probes", "test", lambda was: was * 0 - 1, "'test' holds -1, which is below 0"),
    ("probes", "validation", lambda was: was.repeat(2), "'validation' is not ascending, each value once"),
    ("probes", "pairs", lambda was: {}, "'pairs' is {}"),
    ("controls", "margins", lambda was: was * NAN, "'margins' holds a value that is no finite number"),
    ("tokens", "logprobs", lambda was: was * NAN, "'logprobs' holds a value that is no finite number"),
    ("tokens", "logprobs", lambda was: was[:1], "has 1 rows for as many edits and one more"),
    ("tokens", "texts", lambda was: was[:-1], "'texts' "),
    ("tokens", "pairs", lambda was: was[:-1], "pairs and counts the tokens of"),
    ("states", "values", lambda was: was[:, :1], "'values' has 1 value, not 2"),
    ("states", "values", lambda was: was * NAN, "'values' holds a value that is no finite number"),
    ("stats", "var", lambda was: -was - 1, "'var' holds"),
    ("stats", "tokens", lambda was: was * 0, "'tokens' holds 0, which is below 1"),
    ("attribution", "gradient", lambda was: was[:, :-1], "'gradient' has"),
    ("mask", "square", lambda was: was - 1, "'square' holds -1, which is below 0"),
    ("mask", "log_alpha", lambda was: was[:, :-1], "'log_alpha'"),
    ("found", "scores_l0", None, "it has no array 'scores_l0'"),
    ("found", "scores_welch", lambda was: was * NAN, "'scores_welch' holds a value that is no finite number"),
    ("found", "scores_welch", lambda was: was[:, :-1], "'scores_welch' has another shape than 'token_mean'"),
    ("found", "result", lambda was: 1, "'result' is 1"),
    ("unit", "values", lambda was: [], "'values' is []"),
]


@pytest.fixture(scope="module")
def kept(tiny: Callable[[str], Model], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return keep_artefacts(tmp_path_factory.mktemp("kept"), tiny("llama"))


def change(sound: Path, file: Path, name: str, how: Change | None) -> Path:
    """The sound artefact, with an array or a field changed (or left out), written and signed anew."""
    kind = artefact_kind(sound)
    arrays, metadata = read_artefact(sound, kind)
    for place in (arrays, metadata):
        if name in place:
            was = place.pop(name)
            if how is not None:
                place[name] = how(was)
            write_artefact(file, kind, arrays, metadata)
            return file
    raise KeyError(name)


@pytest.mark.parametrize(("kind", "name", "how", "wrong"), WRONG, ids=[f"{row[0]}-{row[3][:40]}" for row in WRONG])
def test_what_is_wrong_inside_is_told_in_one_line(kept, tmp_path, capsys, kind, name, how, wrong):
    file = change(kept[kind], tmp_path / "wrong.safetensors", name, how)
    [schema] = [schema for schema in KINDS if schema.kind == artefact_kind(file)]  # its digest fits
    with pytest.raises(WrongContentError) as caught:
        schema.read(file)
    assert str(caught.value).startswith(f"{file} is intact, but wrong: ")
    assert wrong in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, CorruptFileError)
    with pytest.raises(SystemExit) as ended:
        main(["check", str(file)])
    assert ended.value.code == 1
    assert " ".join(str(caught.value).split()) in " ".join(capsys.readouterr().out.split())


def test_every_kind_is_sound_as_it_is_written(kept):
    files = [file for file in kept.values() if file.is_file()]
    folder = Path(*next(iter(files)).parts[: next(iter(files)).parts.index("home")])
    rows = check_path(folder)
    assert [row for row in rows if not row["ok"]] == []
    assert {row["kind"] for row in rows} == {kind.kind for kind in KINDS} - {"evidence"} | {"run"}


def test_python_refuses_them_too(kept, tmp_path):
    file = change(kept["neurons"], tmp_path / "a.safetensors", "scores", lambda was: was * NAN)
    with pytest.raises(WrongContentError, match="no finite number"):
        NeuronSet.load(file)
    file = change(kept["ranking"], tmp_path / "b.safetensors", "best_layer", lambda was: 9)
    with pytest.raises(WrongContentError, match="best layer 9"):
        Ranking.load(file)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (lambda was: was * NAN, "no finite number"),
        (lambda was: was.astype(np.float64), "not numbers in float32"),
        (lambda was: was[:-1], "'values' has 5 pairs, not 6 as expected"),
        (lambda was: was[..., :-1], "as expected"),
        (lambda was: was[:, :, :0], "as expected"),
    ],
    ids=["nan", "float64", "pairs", "units", "layers"],
)
def test_a_cache_computes_again_what_cannot_be(tiny, tmp_path, monkeypatch, how, told):
    monkeypatch.setenv("NEUROSTEER_HOME", str(tmp_path))
    model, pairs, notices = tiny("llama"), made_pairs(verbs=2, subjects=3, nouns=1), Notices()
    whole = eos_states(model, pairs).values.clone()
    [file] = (tmp_path / "states").rglob("*.safetensors")
    change(file, file, "values", how)
    assert eos_states(model, pairs, progress=notices).values.equal(whole)
    [said] = notices.said
    assert told in said
    assert said.endswith("computing it again")
    assert eos_states(model, pairs, progress=notices).values.equal(whole)
    assert len(notices.said) == 1  # the file is right again


class Notices(Progress):
    def __init__(self) -> None:
        self.said: list[str] = []

    def notice(self, text: str) -> None:
        self.said.append(text)
