"""Recipes as files and as what is typed: what is right is understood, and what is wrong is told in one line."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from neurosteer.errors import InputError
from neurosteer.experiments.causal.settings import CausalSettings
from neurosteer.experiments.frontier.settings import FrontierSettings
from neurosteer.experiments.gym.settings import GymSettings
from neurosteer.experiments.localizer.settings import LocalizerSettings
from neurosteer.experiments.recipe import Recipe, override, read_recipe
from neurosteer.experiments.registry import NAMES, settings_of
from neurosteer.experiments.sensitivity.settings import SensitivitySettings
from neurosteer.experiments.shared.stability import StabilitySettings
from neurosteer.probes import L0
from neurosteer.studies.finding.layers import LAMBDAS
from neurosteer.vocabulary import COLUMNS, METHODS

HEAD = 'format = 1\nexperiments = ["fig5"]\n'
EXPERIMENTS = ("causal", "fig2", "overlap", "sensitivity", "localizer", "gym", "frontier")  # with settings, but fig2
OWN = f"format = 1\nexperiments = {json.dumps(EXPERIMENTS)}\n"
EVERY = """
# every key, none at its default
format = 1
title = "All of it, é"
experiments = ["causal", "fig2", "overlap", "sensitivity", "localizer", "gym", "frontier"]
model = "org/name"
revision = "v1"
device = "cuda:1"
dtype = "bfloat16"
device_map = "auto"
bos = "none"
eos = "</s>"
data = "builtin:balanced"
tasks = ["intransitive", "*island*"]
columns = "good, bad"
layout = "task=paradigm"
limit = 200
split = "lexical"
seed = 7
site = "mlp_post"
position = "last"
layers = "0-2,5"
topk = 40
lambdas = [1, 0.1]
draws = 9
l0_states = "raw"
l0_start = "warm"
l0_log_alpha = -1
l0_steps = 20
l0_rate_weights = 0.5
l0_rate_gates = 0.2
l0_decay = "none"
l0_weight_l2 = 1e-3
unpenalised_steps = [20, 10]
layer = 14
lambda = 0.3
folds = 3
repeats = 4
methods = ["l0"]
measured = ["intransitive", "causative"]
controls = 99
nulls = 0
localise = "0-9"
evaluate = "10-19"
test_pairs = 50
attribution_pairs = 60
seeds = 3
pooled = true
budgets = [0.1, 0.05]
mask_seeds = 2
mask_steps = 30
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(content: str | bytes, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def test_every_key(write):
    assert read_recipe(write(EVERY)) == Recipe(
        name="mine",
        title="All of it, é",
        experiments=EXPERIMENTS,
        format=1,
        model="org/name",
        revision="v1",
        device="cuda:1",
        dtype="bfloat16",
        device_map="auto",
        bos="none",
        eos="</s>",
        data="builtin:balanced",
        tasks=("intransitive", "*island*"),
        columns=("good", "bad"),
        layout="task=paradigm",
        limit=200,
        split="lexical",
        seed=7,
        site="mlp_post",
        position="last",
        layers=(0, 1, 2, 5),
        topk=40,
        lambdas=(0.1, 1.0),
        draws=9,
        l0_states="raw",
        l0_start="warm",
        l0_log_alpha=-1.0,
        l0_steps=20,
        l0_rate_weights=0.5,
        l0_rate_gates=0.2,
        l0_decay="none",
        l0_weight_l2=1e-3,
        layer=14,
        lam=0.3,
        methods=("l0",),
        controls=99,
        nulls=0,
        test_pairs=50,
        own=(
            CausalSettings(measured=("intransitive", "causative"), attribution_pairs=60),
            StabilitySettings(folds=3, repeats=4),
            SensitivitySettings(unpenalised_steps=(10, 20)),
            LocalizerSettings(localise="0-9", evaluate="10-19"),
            GymSettings(seeds=3),
            FrontierSettings(pooled=True, budgets=(0.05, 0.1), mask_seeds=2, mask_steps=30),
        ),
    )


def test_how_masks_are_trained(write):
    """Neurosteer's default, but for what the keys replace."""
    given = {"states": "raw", "start": "warm", "log_alpha": -1.0, "steps": 20, "rate_weights": 0.5, "rate_gates": 0.2}
    assert read_recipe(write(EVERY)).l0 == dataclasses.replace(L0, **given, decay="none", weight_l2=1e-3)
    assert read_recipe(write(HEAD)).l0 == L0


def value_of(recipe: Recipe, field: str) -> Any:
    """Of the recipe, or of the settings of one of its experiments."""
    return next(getattr(one, field) for one in (recipe, *recipe.own) if hasattr(one, field))


def test_defaults(write):
    recipe = read_recipe(write(HEAD))
    assert recipe == Recipe(name="mine", title="mine", experiments=("fig5",))
    assert (recipe.limit, recipe.layers, recipe.topk, recipe.layer, recipe.lam) == (None, "all", "1%", "middle", 0.2)
    assert recipe.lambdas == LAMBDAS
    assert recipe.columns == COLUMNS


def test_description_has_every_key_as_json(write):
    told = read_recipe(write(EVERY)).describe()
    keys = re.findall(r"^(\w+) =", EVERY, flags=re.M)
    assert sorted(told) == sorted(["name", *keys])
    assert json.loads(json.dumps(told)) == told
    assert (told["lambda"], told["lambdas"], told["limit"]) == (0.3, [0.1, 1.0], 200)
    assert read_recipe(write(HEAD)).describe()["limit"] == "all"


def test_a_description_is_a_recipe_again(write):
    for content in (EVERY, OWN, HEAD):
        recipe = read_recipe(write(content))
        keys = {key: value for key, value in recipe.describe().items() if value is not None and key != "name"}
        again = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        assert read_recipe(write(again)) == recipe


def test_several_models_in_the_place_of_one(write):
    """They are told where they are asked for, and `model` is not: what recipes of one model say stays as it was."""
    several = read_recipe(write(HEAD + 'models = ["a", "b@v1", "./c"]'))
    told = several.describe()
    assert told["models"] == ["a", "b@v1", "./c"]
    assert {"model", "revision"} & set(told) == set()
    assert override(several, {"models": "a,b@v2"}).models == ("a", "b@v2")
    assert "models" not in read_recipe(write(HEAD)).describe()
    for key in ("model", "revision"):
        with pytest.raises(InputError, match=f"^this recipe has models: .*; leave {key} out$"):
            override(several, {key: "x"})


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + HEAD.encode(), HEAD.replace("\n", "\r\n").encode()])
def test_byte_order_mark_and_windows_line_ends(write, content):
    assert read_recipe(write(content)).experiments == ("fig5",)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("layers = [5, 0]", "layers", (0, 5)),
        ("layers = 3", "layers", (3,)),
        ('layers = "0-3, 2"', "layers", (0, 1, 2, 3)),
        ('layers = "all"', "layers", "all"),
        ('limit = "all"', "limit", None),
        ('topk = "2.5%"', "topk", "2.5%"),
        ('topk = "40"', "topk", 40),
        ('layer = "middle"', "layer", "middle"),
        ("layer = 0", "layer", 0),
        ("lambda = 1", "lam", 1.0),
        ('columns = ["a", "b"]', "columns", ("a", "b")),
        ('measured = "all"', "measured", "all"),
        ('bos = "\\n"', "bos", "\n"),
    ],
)
def test_forms_of_a_value(write, line, field, value):
    found = value_of(read_recipe(write(OWN + line)), field)
    assert found == value
    assert type(found) is type(value)


def test_settings_of_experiments_that_the_recipe_does_not_have(write):
    """They would change nothing, so they are refused. Settings come and go with the experiments."""
    told = "seeds is a key of gym, which this recipe does not have (it has fig5)"
    assert refused(write(HEAD + "seeds = 3")).endswith(f"mine.toml: {told}")
    assert refused(write(HEAD), seeds="3") == told
    gym = override(read_recipe(write(HEAD)), {"experiments": "gym", "seeds": "3"})
    assert (gym.own, gym.of(GymSettings).seeds) == ((GymSettings(seeds=3),), 3)
    assert override(gym, {"limit": 9}).own == gym.own
    assert override(gym, {"experiments": "fig5"}).own == ()
    assert "seeds" not in read_recipe(write(HEAD)).describe()
    assert read_recipe(write(HEAD)).of(GymSettings) == GymSettings(seeds=20)


def test_at_their_default_they_are_passed_over(write):
    """Pages of before show the keys of all experiments; what they say can be run again."""
    for said in ("seeds = 20", "pooled = false", "budgets = [0.02, 0.05, 0.1, 0.2]"):
        assert read_recipe(write(HEAD + said)) == read_recipe(write(HEAD))
    pages = sorted((Path(__file__).parents[2] / "recipes" / "paper" / "results").rglob("index.html"))
    assert pages
    for page in pages:
        [shown] = re.findall(r"<pre[^>]*>(?:<code>)?(format = .*?)</", page.read_text("utf-8"), re.DOTALL)
        assert read_recipe(write(unescape(shown))).experiments


def test_a_mistyped_experiment_is_what_is_wrong(write):
    """Not the keys that it would have."""
    assert "unknown experiment 'gymm'; did you mean 'gym'?" in refused(
        write('format = 1\nexperiments = ["gymm"]\nseeds = 3')
    )
    assert "says no experiments" in refused(write("format = 1\nseeds = 3"))


def test_no_key_is_of_two():
    """One value would go to both."""
    kinds = [Recipe, *settings_of(NAMES)]
    every = [one.name for kind in kinds for one in dataclasses.fields(kind)]
    assert len(kinds) == 7
    assert len(set(every)) == len(every)


KEYS = "(a recipe has: title, experiments, format, model, "
COUNT = "must be a whole number of at least"
LAYERS = "layers must be all, a layer (3), a list (3,7,12) or an ascending range (0-5), not"
K = "topk must be a count of neurons (40) or a share above 0 and up to 100% ('1%'), not"
LAMBDAS_TAKE = "lambdas must be a list of numbers above 0 and up to 1, each once and at most 1,000, not"
DRAWS = "draws must be a whole number from 1 to 10,000 (each draw is a probe at every layer), not"
WRONG = [
    ("lamdas = [0.1]", "unknown key 'lamdas'; did you mean 'lambdas'?"),
    ("lam = 0.1", "unknown key 'lam'"),
    ("name = 'x'", "unknown key 'name'"),
    ("zebra = 1", f"unknown key 'zebra' {KEYS}"),
    ("[study]\nk = 1", "unknown key 'study'"),
    ("[model]\nname = 'x'", "model must be the name of a model, a folder or a hub id, not a table"),
    ("topk = 0", f"{K} 0"),
    ("topk = -1", f"{K} -1"),
    ("topk = 1.5", f"{K} 1.5"),
    ("topk = true", f"{K} true"),
    ("topk = '0%'", f"{K} '0%'"),
    ("topk = '101%'", f"{K} '101%'"),
    ("topk = 'nan%'", f"{K} 'nan%'"),
    ("topk = '٣'", f"{K} '٣'"),
    ("topk = nan", f"{K} nan"),
    ("topk = [1]", f"{K} [1]"),
    ("topk = 9999999999999999999", f"{K} 9999999999999999999"),
    (f"topk = 0x{'f' * 5000}", f"{K} 0xffff"),
    (f"topk = {'9' * 5000}", "mine.toml is no TOML: exceeds the limit"),
    ("lambda = 0", "lambda must be validation or a number above 0 and up to 1, not 0"),
    ("lambda = true", "lambda must be validation or a number above 0 and up to 1, not true"),
    ("lambda = '0.2'", "lambda must be validation or a number above 0 and up to 1, not '0.2'"),
    ("lambdas = []", f"{LAMBDAS_TAKE} []"),
    ("lambdas = 0.1", f"{LAMBDAS_TAKE} 0.1"),
    ("lambdas = [0.1, nan]", f"{LAMBDAS_TAKE} [0.1, nan]"),
    ("lambdas = [0.1, inf]", f"{LAMBDAS_TAKE} [0.1, inf]"),
    ("lambdas = [-0.1]", f"{LAMBDAS_TAKE} [-0.1]"),
    ("lambdas = [0.1, 0.1]", f"{LAMBDAS_TAKE} [0.1, 0.1]"),
    ("lambdas = [1, 1.0]", f"{LAMBDAS_TAKE} [1, 1.0]"),
    ("lambdas = [false]", f"{LAMBDAS_TAKE} [false]"),
    ("lambdas = [[0.1]]", f"{LAMBDAS_TAKE} [[...]]"),
    ("draws = 0", f"{DRAWS} 0"),
    ("draws = 1.0", f"{DRAWS} 1.0"),
    ("draws = true", f"{DRAWS} true"),
    ("draws = 10001", f"{DRAWS} 10001"),
    ("controls = 1000000000", "each control is a pass over all pairs"),
    (f"lambdas = {[i / 2000 for i in range(1, 1002)]}", "each once and at most 1,000, not [0.0005, "),
    ("seed = -1", f"seed {COUNT} 0, not -1"),
    ("folds = 1", "folds must be a whole number from 2 to 10,000 (each fold is a search), not 1"),
    ("repeats = 0", "repeats must be a whole number from 1 to 10,000 (each repeat is a search), not 0"),
    (
        "controls = 1",
        "controls must be a whole number from 2 to 100,000 (each control is a pass over all pairs), not 1",
    ),
    ("l0_states = 'rawer'", "l0_states must be one of standardised, scaled, raw, not 'rawer'; did you mean 'raw'?"),
    ("l0_steps = 0", f"l0_steps {COUNT} 1, not 0"),
    ("l0_log_alpha = nan", "l0_log_alpha must be a number, not nan"),
    ("l0_weight_l2 = -1", "l0_weight_l2 must be a number of at least 0, not -1"),
    ("l0_rate_gates = inf", "l0_rate_gates must be a number above 0, not inf"),
    ("l0_rate_weights = 0", "l0_rate_weights must be a number above 0, not 0"),
    (
        "unpenalised_steps = [0]",
        "unpenalised_steps must be a list of whole numbers of at least 1, each once, not [0]",
    ),
    (
        "nulls = -1",
        "nulls must be a whole number from 0 to 10,000 (each null is a search and a pass over all pairs), not -1",
    ),
    ("test_pairs = inf", f"test_pairs {COUNT} 1, not inf"),
    ("attribution_pairs = -inf", f"attribution_pairs {COUNT} 1, not -inf"),
    ("limit = 0", "limit must be all or a whole number of at least 1, not 0"),
    ("limit = 'al'", "limit must be all or a whole number of at least 1, not 'al'; did you mean 'all'?"),
    ("layers = []", f"{LAYERS} []"),
    ("layers = [0, -1]", f"{LAYERS} [0, -1]"),
    ("layers = '5-0'", f"{LAYERS} '5-0'"),
    ("layers = '1,,2'", f"{LAYERS} '1,,2'"),
    ("layers = 'last'", f"{LAYERS} 'last'"),
    ("layers = true", f"{LAYERS} true"),
    ("layer = 'midle'", "layer must be middle or a whole number of at least 0, not 'midle'; did you mean 'middle'?"),
    ("layer = 1.0", "layer must be middle or a whole number of at least 0, not 1.0"),
    ("split = 'word'", "split must be one of pair, lexical, not 'word'"),
    ("site = 'resid_pots'", "did you mean 'resid_post'?"),
    ("position = 0", "position must be one of eos, last, not 0"),
    ("dtype = 'int8'", "dtype must be one of auto, float32, bfloat16, float16, not 'int8'"),
    ("device = 'gpu'", "device must be one of auto, cpu, cuda, cuda:N, xpu, mps, not 'gpu'"),
    ("pooled = 1", "pooled must be true or false, not 1"),
    ("budgets = [0.1, 0]", "budgets must be a list of numbers above 0, each once, not [0.1, 0]"),
    ("methods = ['welsh']", "not ['welsh']; did you mean 'welch'?"),
    ("methods = 'welch'", f"methods must be a list of some of {', '.join(METHODS)}, each once, not 'welch'"),
    ("measured = 'phenomna'", "not 'phenomna'; did you mean 'phenomena'?"),
    ("measured = []", "measured must be phenomena, all or a list of tasks, each once, not []"),
    ("tasks = 'all'", "tasks must be a list of names, globs or phenomena, each once, or of all, not 'all'"),
    ("tasks = ['']", "not ['']"),
    ("tasks = {a = 1}", "each once, or of all, not a table"),
    ("tasks = ['a', 'a']", "not ['a', 'a']"),
    ("columns = 'good'", "columns must be two different column names, 'GOOD,BAD', not 'good'"),
    ("columns = 'a,a'", "not 'a,a'"),
    ("columns = 'a,b,c'", "not 'a,b,c'"),
    ("columns = 1", "not 1"),
    ("model = ''", "model must be the name of a model, a folder or a hub id, not ''"),
    ("model = 5", "not 5"),
    (
        'data = "a\\u0000b"',
        "data must be auto, blimp, builtin, builtin:balanced, builtin:meaning, builtin:gym, a path or a hub id, not "
        "'a\\x00b'",
    ),
    ('title = "two\\nlines"', "title must be one line of text, not 'two\\nlines'"),
    ("title = 1979-05-27", "title must be one line of text, not 1979-05-27"),
    ("bos = ''", "bos must be a token, or none, not ''"),
    (f"title = {['x' * 200]}", f"title must be one line of text, not ['{'x' * 55}..."),
    ("topk = 1\ntopk = 2", "mine.toml is no TOML: cannot overwrite a value (at "),
    ("topk = ", "mine.toml is no TOML: invalid value (at "),
    ("topk == 1", "mine.toml is no TOML:"),
    ("topk = " + "[" * 5000, "mine.toml is no TOML that can be read: it is nested too deeply"),
]


def refused(path: Any, **overrides: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_recipe(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 700
    return message


@pytest.mark.parametrize(("line", "told"), WRONG, ids=lambda value: "")
def test_wrong_lines(write, line, told):
    message = refused(write(OWN + line))
    assert "mine.toml" in message
    assert told in message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "mine.toml is empty: a recipe needs at least format = 1 and experiments = [...]"),
        ("# nothing yet\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ('experiments = ["fig5"]', "mine.toml is no recipe: it does not say format = 1"),
        ("format = 1", "mine.toml says no experiments; name a list of experiments, each once"),
        ("format = 1\nexperiments = []", "not []"),
        ('format = 1\nexperiments = ["fig5", "fig5"]', "not ['fig5', 'fig5']"),
        ('format = 1\nexperiments = "fig2"', "not 'fig2'"),
        ('zebra = 1\nformat = 2\nexperiments = ["fig9"]', "format 2 was made for a newer version of neurosteer"),
        (HEAD.replace("1", "0", 1), "format must be 1, not 0"),
        (HEAD.replace("1", "true", 1), "format must be 1, not true"),
        (HEAD.replace("1", "1.0", 1), "format must be 1, not 1.0"),
        (HEAD.replace("1", "'1'", 1), "format must be 1, not '1'"),
        (HEAD.encode("utf-16"), "mine.toml is not UTF-8 text (byte 0); save it as UTF-8"),
        (HEAD.encode() + b'title = "\xe9"', "is not UTF-8 text"),
        (HEAD.replace("\n", "\r"), "is no TOML"),
        ("{}", "is no TOML"),
        ("\0", "is no TOML"),
        (HEAD + "#" * (1 << 20), "mine.toml is no recipe: it is larger than 1 MB"),
    ],
    ids=lambda value: "",
)
def test_wrong_files(write, content, told):
    message = refused(write(content))
    assert told in message
    assert message.count("mine.toml") == 1


def test_what_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refused("folder").startswith("'folder' is a folder; name a recipe's file in it, or one of ")
    assert refused(tmp_path / "no.toml") == (
        f"no recipe '{tmp_path / 'no.toml'}' (name a TOML file, or see: neurosteer ls recipes)"
    )
    for nothing in ("pipe", "nowhere", "~nobody/x.toml"):
        assert refused(nothing).startswith(f"no recipe '{nothing}'")
    assert "is a folder" in refused("")


def test_a_file_that_cannot_be_read(write, monkeypatch):
    def forbidden(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    path = write(HEAD)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert refused(path) == f"cannot read '{path}': Permission denied"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: (HEAD + text).encode("utf-8", "surrogatepass")))
@example(HEAD.encode())
def test_whatever_a_file_holds(tmp_path, content):
    """A recipe, or one line that says what is wrong with it."""
    path = tmp_path / "any.toml"
    path.write_bytes(content)
    told = ""
    try:
        assert read_recipe(path).name == "any"
    except InputError as error:
        told = str(error)
    assert "\n" not in told
    assert "any.toml" in told or not told


@pytest.mark.parametrize(
    ("key", "typed", "field", "value"),
    [
        ("topk", "40", "topk", 40),
        ("topk", "1%", "topk", "1%"),
        ("topk", '"2%"', "topk", "2%"),
        ("limit", "200", "limit", 200),
        ("limit", "all", "limit", None),
        ("lambda", "0.5", "lam", 0.5),
        ("lambdas", "0.1", "lambdas", (0.1,)),
        ("lambdas", "0.1,1", "lambdas", (0.1, 1.0)),
        ("lambdas", "[0.3, 0.1]", "lambdas", (0.1, 0.3)),
        ("layers", "0-2,7", "layers", (0, 1, 2, 7)),
        ("layers", "5", "layers", (5,)),
        ("layers", "[5, 1]", "layers", (1, 5)),
        ("layers", "all", "layers", "all"),
        ("layer", "14", "layer", 14),
        ("layer", "middle", "layer", "middle"),
        ("layer", "0", "layer", 0),
        ("unpenalised_steps", "20,10", "unpenalised_steps", (10, 20)),
        ("l0_weight_l2", "0", "l0_weight_l2", 0.0),
        ("tasks", "intransitive", "tasks", ("intransitive",)),
        ("tasks", "intransitive, *island*", "tasks", ("intransitive", "*island*")),
        ("tasks", '["a", "b"]', "tasks", ("a", "b")),
        ("tasks", '"a,b"', "tasks", ("a,b",)),
        ("tasks", "1,2", "tasks", ("1", "2")),
        ("experiments", "fig2", "experiments", ("fig2",)),
        ("experiments", "fig2,overlap", "experiments", ("fig2", "overlap")),
        ("methods", "welch", "methods", ("welch",)),
        ("measured", "all", "measured", "all"),
        ("measured", "phenomena", "measured", "phenomena"),
        ("measured", "intransitive", "measured", ("intransitive",)),
        ("measured", "a,b", "measured", ("a", "b")),
        ("columns", "good,bad", "columns", ("good", "bad")),
        ("columns", '["good", "bad"]', "columns", ("good", "bad")),
        ("layout", "bad-good", "layout", "bad-good"),
        ("layout", "sentence=Satz,label=ok,task=", "layout", "sentence=Satz,label=ok,task="),
        ("revision", "1234567", "revision", "1234567"),
        ("revision", "1e5", "revision", "1e5"),
        ("revision", "true", "revision", "true"),
        ("revision", "1979-05-27", "revision", "1979-05-27"),
        ("model", "~/models/x y", "model", "~/models/x y"),
        ("bos", "[CLS]", "bos", "[CLS]"),
        ("bos", "[1]", "bos", "[1]"),
        ("title", "a, b = c # d", "title", "a, b = c # d"),
        ("seed", "0", "seed", 0),
    ],
    ids=lambda value: "",
)
def test_what_is_typed(write, key, typed, field, value):
    found = value_of(read_recipe(write(OWN), {key: typed}), field)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("key", "typed", "told"),
    [
        ("topkk", "1", "unknown key 'topkk'; did you mean 'topk'?"),
        ("", "1", "unknown key ''"),
        ("pairs", "5", "unknown key 'pairs'"),
        ("format", "2", "format 2 was made for a newer version"),
        ("topk", "", f"{K} ''"),
        ("topk", "nan", f"{K} 'nan'"),
        ("topk", "true", f"{K} 'true'"),
        ("topk", "1\ndraws = 2", f"{K} '1\\ndraws = 2'"),
        ("topk", "{a = 1}", f"{K} '{{a = 1}}'"),
        ("draws", "1.0", f"{DRAWS} '1.0'"),
        ("draws", "five", f"{DRAWS} 'five'"),
        ("lambdas", "0.1,much", f"{LAMBDAS_TAKE} '0.1,much'"),
        ("lambdas", "0.1,,0.2", f"{LAMBDAS_TAKE} '0.1,,0.2'"),
        ("lambdas", "-1", f"{LAMBDAS_TAKE} '-1'"),
        ("experiments", "fig2,fig2", "experiments must be a list of experiments, each once, not 'fig2,fig2'"),
        (
            "methods",
            "l0,welsh",
            f"methods must be a list of some of {', '.join(METHODS)}, each once, not 'l0,welsh'; "
            "did you mean 'welch'?",
        ),
        ("columns", "good", "columns must be two different column names, 'GOOD,BAD', not 'good'"),
        (
            "layout",
            "good-bda",
            "layout must be auto, good-bad, bad-good or PART=COLUMN, with commas between, not 'good-bda'",
        ),
        (
            "layout",
            "good=a",
            "layout must be auto, good-bad, bad-good or PART=COLUMN, with commas between, not 'good=a'",
        ),
        ("title", "\udcff", "title must be one line of text, not '\\udcff'"),
        ("bos", "\udcff", "bos must be a token, or none, not '\\udcff'"),
        ("revision", "", "revision must be a branch, tag or commit, not ''"),
    ],
    ids=lambda value: "",
)
def test_what_is_typed_wrongly(write, key, typed, told):
    message = refused(write(HEAD), **{key: typed})
    assert message.startswith(told)


def test_a_wrong_file_stays_wrong(write):
    """Whatever replaces its value."""
    assert f"{K} 0" in refused(write(HEAD + "topk = 0"), topk="40")


def test_values_from_python(write, tmp_path):
    given = {"model": tmp_path, "tasks": ["a"], "lambdas": 0.5, "limit": None, "layers": (3, 1), "revision": None}
    recipe = read_recipe(write(HEAD), given)
    assert (recipe.model, recipe.tasks, recipe.lambdas) == (str(tmp_path), ("a",), (0.5,))
    assert (recipe.limit, recipe.layers, recipe.revision) == (None, (1, 3), None)
    assert refused(write(HEAD), topk=None) == f"{K} None"
    assert refused(write(HEAD), draws=True) == f"{DRAWS} true"


def test_override_leaves_the_rest(write):
    recipe = read_recipe(write(EVERY))
    changed = override(recipe, {"topk": 3, "lambda": 1})
    assert dataclasses.replace(changed, topk=recipe.topk, lam=recipe.lam) == recipe
    assert (changed.topk, changed.lam) == (3, 1.0)
