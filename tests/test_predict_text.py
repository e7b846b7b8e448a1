"""Texts given to `predict`: the last bytes are the window, and the answer is about the byte after them."""

from pathlib import Path

import numpy as np
import pytest
from small_runs import problem

from netc.training.answers import Answer, as_data, as_text, following, of_logits, of_numbers
from netc.training.inputs import Wanted, read_examples
from netc.training.prepare import Field
from netc.types import Element

BYTES = Element("token", 256)
TEXT = Wanted("text", Field((4,), "token(256)", 0, 255), element=BYTES)


@pytest.mark.parametrize(
    ("raw", "window", "length"),
    [
        (b"abcdef", b"cdef", 4),
        (b"ab", b"ab\0\0", 2),
        (b"PK\xff\n", b"PK\xff\n", 4),
        ("é".encode(), b"\xc3\xa9\0\0", 2),
    ],
)
def test_a_text_is_its_last_bytes(tmp_path: Path, raw: bytes, window: bytes, length: int) -> None:
    (tmp_path / "x.txt").write_bytes(raw)
    found = read_examples(str(tmp_path / "x.txt"), TEXT)
    assert bytes(found.values.astype(np.uint8)[0]) == window and found.values.dtype == np.int32
    assert (found.values.shape, found.length) == ((1, 4), length)


def test_arrays_of_tokens_are_whole_numbers_within_their_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.arange(8.0).reshape(2, 4))
    found = read_examples("x.npy", TEXT)
    assert found.values.dtype == np.int32 and found.values.shape == (2, 4) and found.length is None
    for array, named in ((np.array([1, 2, 3, 256]), "256"), (np.array([1, 2.5, 3, 4]), "2.5"), (-np.ones(4), "-1.0")):
        np.save("x.npy", array)
        assert problem(lambda: read_examples("x.npy", TEXT)) == (
            f"error[bad-input]: `x.npy` cannot be predicted: it holds {named}, and `text` takes token(256)[4]\n"
            "   = help: whole numbers from 0 to 255 are needed"
        )


def test_words_of_a_larger_vocabulary_are_no_text_of_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.txt").write_text("abc")
    words = Wanted("words", Field((4,), "token(9)", 0, 8), element=Element("token", 9))
    assert "`words` takes token(9)[4], which is no picture" in problem(lambda: read_examples("x.txt", words))


def test_the_answer_is_about_the_byte_after_the_text() -> None:
    logits = np.zeros((3, 4, 256), np.float32)
    logits[0, 3, ord("x")] = logits[1, 1, ord("\n")] = logits[2, 0, 0xC3] = 99
    found = following(of_logits(logits), [4, 2, 1])
    assert [as_text(found, i, None) for i in range(3)] == ["'x' (100.0%)", "'\\n' (100.0%)", "'\\xc3' (100.0%)"]
    assert as_data(found, 0, 1) == {"classes": [{"class": ord("x"), "probability": 1.0}]}


@pytest.mark.parametrize("answer", [of_numbers(np.zeros((2, 4, 256))), of_logits(np.zeros((2, 256)))])
def test_what_says_nothing_of_each_byte_stays(answer: Answer) -> None:
    assert following(answer, [4, 4]) is answer
