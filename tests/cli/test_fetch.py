"""`neurosteer fetch`: from a small hub on this machine into the cache, whole or not at all; then without network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from fake_hub import FakeHub, commit_of, serving
from made_pairs import made_pairs
from sizes import quick_and_slow
from tiny_models import save_tiny

from neurosteer.model import load_model
from neurosteer.pairs import PUBLISHED, load_pairs, load_tasks

pytestmark = pytest.mark.usefixtures("blank_pictures")

LANGUAGES = ("deu", "eng")


def rows(n: int) -> str:
    lines = "".join(f"{pair.good}\t{pair.bad}\tSV-{i % 2}\n" for i, pair in enumerate(list(made_pairs())[:n]))
    return f"sen\twrong_sen\tphenomenon\n{lines}"


def write_set(folder: Path, n: int = 40) -> Path:
    """MultiBLiMP in its native form, two languages of it, beside a file that is no data."""
    card = ["---", "configs:"]
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True)
        (folder / language / "data.tsv").write_text(rows(n), "utf-8")
        card += [
            f"- config_name: {language}",
            "  data_files:",
            "  - split: train",
            f'    path: "{language}/data.tsv"',
        ]
        card += ['  sep: "\\t"']
    (folder / "README.md").write_text("\n".join([*card, "---", ""]), "utf-8")
    (folder / "run.py").write_text("raise SystemExit", "utf-8")
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_folder: Callable[[str], Path]) -> Iterator[FakeHub]:
    """It has a model in two revisions and MultiBLiMP; the caches are empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    datasets.disable_progress_bars()
    first = shutil.copytree(tiny_folder("llama"), tmp_path / "there" / "main")
    (first / "pytorch_model.bin").write_bytes(b"a pickle")
    (first / "original").mkdir()
    (first / "original" / "model.safetensors").write_bytes(b"another")
    with serving() as hub:
        hub.put("models", "someone/tiny", first)
        hub.put("models", "someone/tiny", save_tiny("llama", tmp_path / "there" / "v2", seed=1), "v2")
        hub.put("datasets", PUBLISHED["multiblimp"].hub_id, write_set(tmp_path / "there" / "set"))
        yield hub


@pytest.fixture
def unplugged(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From here on nothing can be reached."""

    def pull() -> None:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr("neurosteer.hub.is_reachable", lambda: pytest.fail("reached for the network"))
        monkeypatch.setattr("neurosteer.pairs.sources.is_reachable", lambda: pytest.fail("reached for the network"))

    return pull


def told(run: Any, *arguments: str) -> dict[str, Any]:
    outcome = run("fetch", *arguments, "--format", "json", "--quiet")
    assert (outcome.code, outcome.err) == (0, "")
    [row] = json.loads(outcome.out)["results"]
    return dict(row)


def refused(run: Any, *arguments: str) -> str:
    outcome = run("fetch", *arguments, "--quiet")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    return str(outcome.err.removeprefix("neurosteer: ").strip())


# --- models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("revision", [None, "v2"])
def test_a_model(revision: str | None, hub: FakeHub, run: Any, unplugged: Callable[[], None]):
    folder = hub.repositories["models", "someone/tiny"][revision or "main"]
    at = [] if revision is None else ["--revision", revision]
    row = told(run, "someone/tiny", *at)
    taken = {path.name for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".jinja")}
    assert row["commit"] == commit_of(folder)
    assert set(hub.downloads()) == taken == {path.name for path in Path(row["folder"]).iterdir()}
    assert row["bytes"] == sum((folder / name).stat().st_size for name in taken)
    assert (row["kind"], row["was_there"]) == ("model", False)

    sent = len(hub.downloads())
    assert told(run, "someone/tiny", *at) == {**row, "was_there": True}
    assert len(hub.downloads()) == sent

    unplugged()
    assert told(run, "someone/tiny", *at, "--offline") == {**row, "was_there": True}
    model = load_model("someone/tiny", revision=revision, offline=True)
    assert model.fingerprint == load_model(folder).fingerprint


def test_what_is_printed(hub: FakeHub, run: Any):
    outcome = run("fetch", "someone/tiny", "--revision", "v2")
    lines = outcome.out.splitlines()
    assert (outcome.code, outcome.err) == (0, "")
    assert [line.split()[0] for line in lines] == ["model", "commit", "folder", "size", "use"]
    assert lines[0] == "model   someone/tiny"
    assert lines[-1] == "use     --model someone/tiny --revision v2 --offline"
    assert run("fetch", "someone/tiny", "--revision", "v2").out.startswith("model   someone/tiny, already there\n")


@pytest.mark.parametrize("how", quick_and_slow(["connection"], ["Ctrl-C"]))
def test_a_model_is_fetched_whole_or_not_at_all(
    how: str, hub: FakeHub, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """What the branch stood for here goes on to be loaded; the same command goes on."""
    first = told(run, "someone/tiny")
    newer = hub.repositories["models", "someone/tiny"]["v2"]
    hub.put("models", "someone/tiny", newer)
    with monkeypatch.context() as patch:
        if how == "connection":
            hub.breaks_at = "model.safetensors"
            patch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
            assert refused(run, "someone/tiny").startswith("'someone/tiny' could not be downloaded: ")
        else:
            interrupt(patch, "model.safetensors")
            outcome = run("fetch", "someone/tiny", "--quiet")
            assert (outcome.code, outcome.err) == (130, "neurosteer: interrupted\n")
    hub.breaks_at = ""
    assert told(run, "someone/tiny", "--offline")["commit"] == first["commit"]
    assert load_model("someone/tiny", offline=True).fingerprint != load_model(newer).fingerprint
    done = len(hub.downloads())
    assert told(run, "someone/tiny")["commit"] == commit_of(newer)
    assert set(hub.downloads()[done:]) <= {"model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert load_model("someone/tiny", offline=True).fingerprint == load_model(newer).fingerprint


def interrupt(patch: pytest.MonkeyPatch, at: str) -> None:
    """Ctrl-C when this file begins."""
    import huggingface_hub

    real = huggingface_hub.hf_hub_download

    def download(name: str, file: str, **more: Any) -> str:
        if file == at:
            raise KeyboardInterrupt
        return str(real(name, file, **more))

    patch.setattr(huggingface_hub, "hf_hub_download", download)


def test_models_that_could_not_be_loaded(hub: FakeHub, run: Any, tmp_path: Path):
    there = tmp_path / "there"
    for name, files in {"pickled": ["config.json", "pytorch_model.bin"], "lora": ["config.json", "x.bin"]}.items():
        (there / name).mkdir()
        for file in files:
            (there / name / file).write_text("{}")
        hub.put("models", f"someone/{name}", there / name)
    (there / "lora" / "adapter_config.json").write_text("{}")
    assert refused(run, "someone/pickled").startswith("'someone/pickled' has no config.json and model.safetensors")
    assert refused(run, "someone/lora").startswith("someone/lora has an adapter, which would be left out; merge it ")
    hub.gated.add("someone/tiny")
    assert refused(run, "someone/tiny").startswith("'someone/tiny' has terms to accept: do so at http://127.0.0.1:")
    assert hub.downloads() == []


def test_a_model_on_this_machine(hub: FakeHub, run: Any, tiny_folder: Callable[[str], Path]):
    folder = str(tiny_folder("llama"))
    assert refused(run, folder).startswith(f"'{folder}' is on this machine already: ")


def test_the_built_in_model_and_gguf_files(
    run: Any, builtin_source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    from neurosteer.model import builtin

    monkeypatch.setenv("NEUROSTEER_HOME", str(builtin_source.parents[1]))
    row = told(run, "smollm2-135m", "--offline")
    assert (row["folder"], row["was_there"], row["commit"]) == (str(builtin_source), True, None)
    assert row["bytes"] == sum(path.stat().st_size for path in builtin_source.iterdir())
    assert refused(run, "smollm2-135m", "--revision", "v2").startswith("--revision 'v2' is for the hub; ")
    monkeypatch.setenv("NEUROSTEER_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(builtin, "_installed_gguf", lambda: None)
    assert refused(run, "smollm2-135m", "--offline").startswith("the built-in model 'smollm2-135m' is not here yet; ")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert refused(run, str(tmp_path / "bad.gguf")).startswith(f"cannot read {tmp_path}/bad.gguf as GGUF: ")


# --- data --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["multiblimp", "multiblimp:deu", "jumelet/multiblimp", "jumelet/multiblimp:deu"])
def test_data(name: str, hub: FakeHub, run: Any, unplugged: Callable[[], None], neurosteer_home: Path):
    source = hub.repositories["datasets", "jumelet/multiblimp"]["main"]
    row = told(run, name)
    folder = Path(row["folder"])
    assert sorted(hub.downloads()) == ["README.md", "data.tsv", "data.tsv"]
    assert (folder.parents[1], row["kind"], row["commit"]) == (neurosteer_home / "data", "data", commit_of(source))
    kept = {path for path in folder.rglob("*") if path.is_file()}
    assert {str(path.relative_to(folder)) for path in kept} == {"README.md", "deu/data.tsv", "eng/data.tsv"}
    assert row["bytes"] == sum(path.stat().st_size for path in kept)
    assert told(run, name) == {**row, "was_there": True}
    assert len(hub.downloads()) == 3

    unplugged()
    assert told(run, name, "--offline") == {**row, "was_there": True}
    for language in LANGUAGES:
        found = load_tasks(["all"], source=f"multiblimp:{language}", offline=True)
        assert {one.task: len(one) for one in found} == {"SV-0": 20, "SV-1": 20}


def test_commands_find_the_model_and_the_data(
    hub: FakeHub, run: Any, unplugged: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    asked = ["--model", "someone/tiny", "--data", "multiblimp:deu", "--task", "SV-0", "--quiet", "--format", "json"]
    told(run, "someone/tiny")
    told(run, "multiblimp")
    unplugged()
    for command in (["score"], ["find", "--layers", "1", "--topk", "2", "--method", "welch", "--draws", "1"]):
        outcome = run(*command, *asked, "--offline")
        assert (outcome.code, outcome.err) == (0, "")
        assert json.loads(outcome.out)["results"][0]["data"]["source"] == "multiblimp:deu"


def test_blimp_is_what_auto_takes_then(hub: FakeHub, run: Any, unplugged: Callable[[], None], tmp_path: Path):
    folder = tmp_path / "there" / "blimp" / "intransitive"
    folder.mkdir(parents=True)
    lines = [json.dumps({"sentence_good": f"A{i} sleeps.", "sentence_bad": f"A{i} sees."}) for i in range(9)]
    (folder / "train.jsonl").write_text("\n".join(lines))
    card = "---\nconfigs:\n- config_name: intransitive\n  data_files: intransitive/train.jsonl\n---\n"
    (folder.parent / "README.md").write_text(card)
    hub.put("datasets", PUBLISHED["blimp"].hub_id, folder.parent)
    told(run, "blimp")
    unplugged()
    pairs = load_pairs("intransitive", offline=True)
    assert (pairs.source, len(pairs)) == ("blimp", 9)


@pytest.mark.parametrize("at", ["README.md", "eng/data.tsv"])
def test_data_are_fetched_whole_or_not_at_all(
    at: str, hub: FakeHub, run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, neurosteer_home: Path
):
    """An older copy stays; nothing half is left beside it."""

    def interrupted() -> None:
        with monkeypatch.context() as patch:
            interrupt(patch, at)
            outcome = run("fetch", "multiblimp", "--quiet")
        assert (outcome.code, outcome.err) == (130, "neurosteer: interrupted\n")

    interrupted()
    assert [path.suffix for path in (neurosteer_home / "data").iterdir()] in ([], [".lock"])
    assert refused(run, "multiblimp", "--offline").startswith("'jumelet/multiblimp' is not in the cache and the hub ")
    first = told(run, "multiblimp")
    hub.put("datasets", "jumelet/multiblimp", write_set(tmp_path / "there" / "newer", 30))
    interrupted()
    assert told(run, "multiblimp", "--offline")["commit"] == first["commit"]
    assert len(load_tasks(["SV-0"], source="multiblimp:eng", offline=True)[0]) == 20
    assert told(run, "multiblimp")["commit"] != first["commit"]
    assert len(load_tasks(["SV-0"], source="multiblimp:eng", offline=True)[0]) == 15
    assert [path.name for path in (neurosteer_home / "data").iterdir() if path.suffix != ".lock"] == [
        Path(first["folder"]).parent.name
    ]


def test_a_revision_of_data(hub: FakeHub, run: Any, tmp_path: Path):
    hub.put("datasets", "jumelet/multiblimp", write_set(tmp_path / "there" / "v1", 20), "v1")
    row = told(run, "multiblimp:deu", "--revision", "v1")
    assert len(load_tasks(["SV-0"], source="multiblimp:deu", offline=True)[0]) == 10
    for revision in ("v1", row["commit"]):
        assert told(run, "multiblimp:deu", "--offline", "--revision", revision)["commit"] == row["commit"]
    assert "'jumelet/multiblimp' at revision 'v2' is not in" in refused(
        run, "multiblimp", "--offline", "--revision=v2"
    )
    assert refused(run, "multiblimp", "--revision", "v9") == "'jumelet/multiblimp' has no revision 'v9' on the hub"


def test_a_copy_that_is_no_longer_whole_is_none(hub: FakeHub, run: Any):
    row = told(run, "multiblimp")
    (Path(row["folder"]) / "eng" / "data.tsv").write_text("cut")
    assert "is not in the cache" in refused(run, "multiblimp", "--offline")


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rublmp", "no model or data set 'rublmp' on the hub; did you mean 'rublimp'? (fetch takes "),
        ("smollm2-135n", "no model or data set 'smollm2-135n' on the hub; did you mean 'smollm2-135m'? (fetch "),
        ("nyu-mll/blmp", "no model or data set 'nyu-mll/blmp' on the hub; did you mean 'nyu-mll/blimp'? (fetch "),
        ("a/b/c", "no model or data set 'a/b/c' on the hub (fetch takes a hub id OWNER/NAME, smollm2-135m, blimp, "),
        ("builtin:balanced", "the pairs of 'builtin:balanced' are made on this machine: nothing is to be fetched"),
        ("auto", "the pairs of 'auto' are made on this machine: nothing is to be fetched"),
        ("multiblimp:dou", "'jumelet/multiblimp' has no configuration 'dou' (it has 2); did you mean 'deu'?"),
        ("rublimp", "no dataset 'RussianNLP/rublimp' on the hub, or no access to it"),
    ],
)
def test_unknown_names(name: str, message: str, hub: FakeHub, run: Any, neurosteer_home: Path):
    assert refused(run, name).startswith(message)
    assert not list(neurosteer_home.rglob("*.tsv"))


def test_a_model_and_a_data_set_of_one_name(hub: FakeHub, run: Any, tmp_path: Path):
    hub.put("datasets", "someone/tiny", write_set(tmp_path / "there" / "other"))
    assert refused(run, "someone/tiny") == "there is a model 'someone/tiny' and a data set: say which with --kind"
    assert [told(run, "someone/tiny", "--kind", kind)["kind"] for kind in ("model", "data")] == ["model", "data"]


def test_without_network(hub: FakeHub, run: Any, monkeypatch: pytest.MonkeyPatch):
    """Said or not, one line."""
    monkeypatch.setattr("neurosteer.hub.is_reachable", lambda: False)
    for more in ([], ["--offline"]):
        for name, kind in (("someone/tiny", "model"), ("someone/pairs", "data")):
            expected = f"'{name}' is not in the cache and the hub cannot be reached; fetch it with network"
            assert refused(run, name, "--kind", kind, *more) == expected
        assert refused(run, "someone/tiny", *more).startswith(
            "no model or data set 'someone/tiny' in the cache, and the hub cannot be reached (fetch takes "
        )
    assert hub.asked == []
