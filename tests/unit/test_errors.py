from __future__ import annotations

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid.errors import (
    Ambiguous,
    Answer,
    Error,
    Gone,
    InitFailed,
    Misconfigured,
    NotFound,
    NotReady,
    NotSent,
    Refused,
    Throttled,
    Transient,
    WrongKind,
    ensure,
    one_line,
)

from .conftest import assert_one_line

ANSWER = Answer("TAT CreateRegisterCode", "InvalidParameter", "Invalid parameter.", "req-1")


def test_error_names_the_operation_before_the_reason() -> None:
    error = Error("the disk is full. Free some")
    error.operation = "cannot create RegisterCode"
    assert str(error) == "cannot create RegisterCode: the disk is full. Free some"


def test_error_without_operation_is_its_reason() -> None:
    assert str(Error("the disk is full")) == "the disk is full"


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("no box", "no box."), ("no box.", "no box."), ("[no box]", "[no box]")],
)
def test_what_follows_a_reason_begins_a_sentence(reason: str, sentence: str) -> None:
    error = Error(reason)
    error.add("Make one.")
    assert str(error) == f"{sentence} Make one."
    error = Error(reason)
    error.closing = "No money has moved."
    assert str(error) == f"{sentence} No money has moved."


def test_refused_ends_with_the_vendors_words_code_and_request_id() -> None:
    error = Refused("TAT does not accept an input. Check it.", ANSWER)
    error.operation = "cannot create RegisterCode"
    assert str(error) == (
        "cannot create RegisterCode: TAT does not accept an input. Check it. "
        "[TAT CreateRegisterCode: InvalidParameter, “Invalid parameter”, RequestId req-1]"
    )


def test_answer_leaves_out_what_the_vendor_did_not_say() -> None:
    assert str(Answer("TAT X", "InternalError", "", "")) == "[TAT X: InternalError]"


def test_answer_cuts_off_a_page_in_place_of_a_sentence() -> None:
    text = str(Answer("TAT X", "InternalError", "<p>" * 5000, "req-1"))
    assert len(text) < 500
    assert "…" in text
    assert text.endswith("RequestId req-1]")


def test_answer_keeps_the_first_three_hundred_characters() -> None:
    said = "x" * 300
    assert str(Answer("TAT X", "InternalError", said, "")) == f"[TAT X: InternalError, “{said}”]"
    longer = Answer("TAT X", "InternalError", said + "y", "")
    assert str(longer) == f"[TAT X: InternalError, “{said}…”]"


def test_throttled_asks_for_no_pause_where_the_vendor_does_not() -> None:
    assert Throttled("too many.", ANSWER).pause == 0


@pytest.mark.parametrize("kind", [Misconfigured, NotSent, Ambiguous, Gone])
def test_every_plain_kind_is_an_error(kind: type[Error]) -> None:
    with pytest.raises(Error, match="why"):
        raise kind("why")


@pytest.mark.parametrize("kind", [Throttled, Transient, NotFound])
def test_every_kind_of_refusal_is_a_refusal(kind: type[Refused]) -> None:
    with pytest.raises(Refused, match="why") as caught:
        raise kind("why", ANSWER)
    assert caught.value.answer is ANSWER


def test_kinds_that_are_acted_upon_differently_are_not_kinds_of_each_other() -> None:
    kinds = (Throttled, Transient, NotFound, NotSent, Ambiguous, Gone, InitFailed, Misconfigured)
    for one in kinds:
        assert [other for other in kinds if issubclass(one, other)] == [one]


def test_errors_keep_what_is_to_be_done_with_them() -> None:
    assert (Ambiguous("lost.").id, Ambiguous("lost.", "id-1").id) == ("", "id-1")
    not_ready = NotReady("not yet.", {"status": "Deploying"})
    assert (str(not_ready), not_ready.now) == ("not yet.", {"status": "Deploying"})
    assert InitFailed("not finished", "id-1", {}).id == "id-1"


def test_object_of_another_class_is_the_programs_error_and_a_type_error() -> None:
    ensure(None, Gone)
    ensure(Gone("why"), Error)
    with pytest.raises(WrongKind) as caught:
        ensure("5e1f", Gone)
    assert str(caught.value) == "Gone wanted, not str"
    for kind in (Error, TypeError, pulumi.RunError):
        assert isinstance(caught.value, kind)


def test_init_failed_keeps_outputs_out_of_its_text() -> None:
    error = InitFailed("not finished", "id-1", {"register_code_value": "5e1f-secret"})
    assert error.outputs == {"register_code_value": "5e1f-secret"}
    for text in (str(error), repr(error), repr(error.args)):
        assert "5e1f-secret" not in text


@given(st.text())
def test_one_line_of_any_text_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(text).split() == text.split()


@given(st.text(), st.text())
def test_error_of_any_text_is_one_line(operation: str, reason: str) -> None:
    error = Error(reason)
    error.operation = operation
    assert len(str(error).splitlines()) <= 1


@given(st.text(), st.text(), st.text())
def test_refused_is_one_line_whatever_the_vendor_answers(
    code: str, message: str, request_id: str
) -> None:
    assert_one_line(str(Refused("why. What to do.", Answer("TAT X", code, message, request_id))))
