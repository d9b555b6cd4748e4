"""What was done, in words."""

import pytest

from neurosteer.report.edit_labels import edit_label
from neurosteer.results import read_record
from neurosteer.results.effect import AppliedEdit

EDIT = {"kind": "zero", "scale": 0.0, "where": "all", "reach": "own", "site": "resid_post", "layers": [14], "k": 40}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "ablate to zero: 40 neurons at layer 14 (resid_post), at all tokens but BOS"),
        ({"kind": "mean"}, "ablate to their mean: 40 neurons at layer 14"),
        ({"kind": "resample"}, "ablate to a donor's activation: 40 neurons"),
        ({"scale": 2.0}, "scale by 2: 40 neurons"),
        ({"scale": 0.5, "kind": "mean"}, "scale by 0.5 about their mean: 40 neurons"),
        ({"kind": "clamp"}, "clamp: 40 neurons"),
        ({"kind": "push", "scale": 1.0, "k": 576}, "push: 576 neurons"),
        ({"k": 1}, "1 neuron at layer 14"),
        ({"k": 1, "kind": "mean"}, "ablate to its mean: 1 neuron"),
        ({"kind": "clamp", "value": 2.5}, "clamp to 2.5: 40 neurons"),
        ({"k": 4096}, "4,096 neurons at layer 14"),
        ({"layers": [3, 4, 5, 6]}, "40 neurons at layers 3-6 "),
        ({"layers": [3, 9]}, "40 neurons at layers 3, 9 "),
        ({"layers": [0, 3, 9, 21]}, "40 neurons at 4 layers in 0-21 "),
        (
            {"layers": [28, 29], "reach": "onward"},
            "40 neurons at layers 28-29, each from its own layer on (resid_post)",
        ),
        ({"layers": [0, 1], "reach": "all"}, "40 neurons at layers 0-1, each at every layer (resid_post)"),
        ({"where": "prompt"}, ", at the prompt's tokens but BOS"),
        ({"where": "generated"}, ", at generated tokens"),
        ({"where": "eos"}, ", at the EOS token"),
    ],
)
def test_every_edit_has_its_words(changes, words):
    assert words in edit_label(read_record(AppliedEdit, {**EDIT, **changes}))


def test_an_edit_without_reach_acts_at_its_own_layer():
    edit = read_record(AppliedEdit, {name: EDIT[name] for name in EDIT if name != "reach"})
    assert "each" not in edit_label(edit)
