"""What other libraries say, as one line."""

from __future__ import annotations

import logging

import pytest

from neurosteer.model.libraries import LONGEST, essence, quiet_transformers


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            ValueError("Validation error:\n    field 'hidden_size' expected int"),
            "Validation error: field 'hidden_size' expected int",
        ),
        (ValueError(""), "ValueError"),
        (KeyError("zzz"), "KeyError 'zzz'"),
        (
            ValueError(f"one of {', '.join(f'{name}Config' for name in 'ABCDEFGHI')}."),
            "one of AConfig, BConfig, CConfig, ...",
        ),
        (
            ValueError(f"Available: {[f'A{i}ForCausalLM' for i in range(150)]}, asked: B"),
            "Available: ['A0ForCausalLM', 'A1ForCausalLM', 'A2ForCausalLM', ...], asked: B",
        ),
        (ValueError("shape [1, 2, 3]"), "shape [1, 2, 3]"),
    ],
)
def test_one_line(error: Exception, told: str):
    assert essence(error) == told


def test_a_long_message_is_cut_between_words():
    text = essence(ValueError("word " * 200))
    assert len(text) <= LONGEST + 4
    assert text.endswith("word ...")


def test_a_message_that_points_to_a_report():
    """transformers names the tensors in a table, which it logs."""
    row = "model.layers.1.mlp.experts.gate_up_proj | \x1b[31mCONVERSION\x1b[0m | \n\nRuntimeError: sizes 4 and 3\n\n"
    report = f"LOAD REPORT from: x\nKey | Status |  |\n----+----+----\n{row}\n\nNotes:\n- CONVERSION: whatever"
    with quiet_transformers() as said:
        logging.getLogger("transformers.modeling_utils").warning(report)
    error = RuntimeError(
        "We encountered some issues. For details look at the CONVERSION entries of the above report!"
    )
    assert essence(error, said) == "model.layers.1.mlp.experts.gate_up_proj CONVERSION RuntimeError: sizes 4 and 3"


def test_transformers_is_quiet_for_a_while(capsys: pytest.CaptureFixture[str]):
    logger = logging.getLogger("transformers")
    before = [(handler, handler.level) for handler in logger.handlers], logger.level
    with quiet_transformers() as said:
        logger.warning("something to know")
    assert said == ["something to know"]
    assert "something" not in capsys.readouterr().err
    assert before == ([(handler, handler.level) for handler in logger.handlers], logger.level)
