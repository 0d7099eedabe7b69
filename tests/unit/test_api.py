from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_hybrid.api import Api, Meaning
from pulumi_hybrid.clock import Deadline
from pulumi_hybrid.errors import (
    Ambiguous,
    Answer,
    Error,
    Expired,
    Misconfigured,
    NotFound,
    Refused,
    Throttled,
)
from pulumi_hybrid.keys import GivenKey, Keys, RoleKeys
from pulumi_hybrid.settings import Key

from .conftest import Context, Hurried, everything_said

MEANINGS = {
    "Missing": Meaning("there is none. Make one.", NotFound),
    "Missing.Role": Meaning("there is no role. Make one."),
    "TooMany": Meaning("too many. Wait.", Throttled),
    "Ended": Meaning("it has ended. Get another.", Expired),
    "": Meaning("no. See why."),
}


class Service(Api):
    """Answers with what it is told to, in turn: a code, an error or an answer's content."""

    def __init__(
        self,
        *answers: str | Error | dict[str, Any],
        call: Hurried | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, Mapping[str, Any]]] = []
        super().__init__(
            "TAT",
            keys=keys or GivenKey(Key("AKID", "secret", None)),
            meanings=MEANINGS,
            call=call or Hurried(),
            deadline=Deadline(300),
        )

    def _send(self, title: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.sent.append((title, action, parameters))
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise self._refused(Answer(title, answer, "Words.", "req-1"))
        if isinstance(answer, Error):
            raise answer
        return answer


def test_call_hands_on_the_answer() -> None:
    service = Service({"Id": "a"})
    assert service.call("Create", {"Name": "n"}) == {"Id": "a"}
    assert service.sent == [("TAT Create", "Create", {"Name": "n"})]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("The Description 5e1f-secret is wrong", "The Description <Description> is wrong"),
        ("5e1f-secret-too and 5e1f-secret", "<Value> and <Description>"),
        ("string to sign: token 5e1f-token, 5e1f-key", "string to sign: token <key>, <key>"),
        ("short and tcr-12345678 stay", "short and tcr-12345678 stay"),
        ("in 5e1f-json", "in <Parameter>"),
        (r'near "5e1f\"\\quoted"', 'near "<Parameter>"'),
    ],
)
def test_the_vendors_words_are_told_without_what_was_sent(words: str, told: str) -> None:
    answer = Answer("TAT Create", "Missing", words, "req-1")
    key = GivenKey(Key("AKID", "5e1f-key", "5e1f-token"))
    service = Service(Refused("no.", answer), keys=key)
    parameters = {
        "Description": "5e1f-secret",
        "Tags": [{"Key": "short", "Value": "5e1f-secret-too"}],
        "RegistryId": "tcr-12345678",
        "Parameter": json.dumps({"a": ["5e1f-json"], "secretId": '5e1f"\\quoted'}),
    }
    with pytest.raises(Refused) as caught:
        service.call("Create", parameters)
    assert caught.value.answer.message == told


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        ("Missing", NotFound, "there is none. Make one."),
        ("Missing.Role", Refused, "there is no role. Make one."),
        ("Missing.Role.Deeper", Refused, "there is no role. Make one."),
        ("Missing.Other", NotFound, "there is none. Make one."),
        ("MissingRole", Refused, "no. See why."),
        ("Other", Refused, "no. See why."),
        ("Other.Missing", Refused, "no. See why."),
        (".Missing", Refused, "no. See why."),
    ],
)
def test_code_means_what_its_nearest_meaning_says(
    code: str, kind: type[Refused], reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        Service(code).call("Create", {})
    assert type(caught.value) is kind
    assert caught.value.reason == reason
    assert caught.value.answer == Answer("TAT Create", code, "Words.", "req-1")


@given(st.text(max_size=30))
def test_any_code_means_something(code: str) -> None:
    service = Service()
    assert service._refused(Answer("TAT Create", code, "", "")).reason


def test_call_is_repeated_where_that_does_no_harm() -> None:
    service = Service("TooMany", Ambiguous("lost."), {"Id": "a"})
    assert service.call("Describe", {}) == {"Id": "a"}
    assert len(service.sent) == 3


def test_call_that_is_not_repeatable_is_not_repeated() -> None:
    service = Service("TooMany", Ambiguous("lost."), {"Id": "a"})
    with pytest.raises(Ambiguous):
        service.call("Create", {}, repeatable=False)
    assert len(service.sent) == 2


def test_sleep_is_the_calls() -> None:
    call = Hurried()
    Service(call=call).sleep(7)
    assert call.pauses == [7]


@pytest.mark.parametrize("lacking", [{}, {"Code": "c"}, {"Id": None, "Code": "c"}, {"Id": ""}])
def test_answer_without_what_it_must_hold_is_as_good_as_lost(lacking: dict[str, Any]) -> None:
    service = Service(lacking)
    with pytest.raises(Ambiguous, match="Id") as caught:
        service.call("Create", {}, repeatable=False, holding=("Id", "Code"))
    assert len(service.sent) == 1
    assert "c'" not in repr(caught.value)


def test_answer_that_holds_what_it_must_is_handed_on() -> None:
    answer = {"Id": "a", "Code": "c", "More": None}
    assert Service(answer).call("Create", {}, repeatable=False, holding=("Id", "Code")) == answer


def test_answer_without_what_it_must_hold_is_asked_for_again_where_that_does_no_harm() -> None:
    call = Hurried()
    service = Service({"Id": "a"}, {"Code": "5e1f-code"}, {"Id": "a", "Code": "c"}, call=call)
    assert service.call("Create", {}, holding=("Id", "Code")) == {"Id": "a", "Code": "c"}
    assert len(service.sent) == 3
    assert "Code" in call.said[0]
    assert "5e1f-code" not in "".join(call.said)


def test_answer_that_never_holds_what_it_must_is_given_up_and_not_shown() -> None:
    service = Service(*[{"Code": "5e1f-code"}] * 9)
    with pytest.raises(Ambiguous, match="it came without Id") as caught:
        service.call("Create", {}, holding=("Id", "Code"))
    assert len(service.sent) == 5
    assert "5e1f-code" not in everything_said(caught.value)


def test_parameters_are_the_same_at_every_try() -> None:
    """A token in them must be one for all."""
    parameters = {"ClientToken": "t"}
    service = Service("TooMany", Ambiguous("lost."), {})
    service.call("Create", parameters)
    assert [sent for _, _, sent in service.sent] == [parameters] * 3
    assert parameters == {"ClientToken": "t"}


def test_throttled_call_waits_as_long_as_the_vendor_asks() -> None:
    throttled = Throttled("too many. Wait.", Answer("TAT Create", "TooMany", "", "req-1"))
    throttled.pause = 12
    call = Hurried()
    Service(throttled, {}, call=call).call("Create", {}, repeatable=False)
    assert call.pauses == [12]


def test_what_is_shown_is_shown_on_the_calls_row() -> None:
    call = Hurried()
    service = Service(call=call)
    service.wait("making", "Deploying", 3)
    service.warn("kept")
    assert (call.said, call.warned, call.pauses) == (["making"], ["kept"], [3])


@pytest.mark.parametrize("active", [True, False])
def test_abandoned_is_what_the_engine_is(active: bool) -> None:
    assert Service(call=Hurried(_context=Context(active=active))).abandoned is not active


# Keys that end on the way


def _lending(*ids: str) -> tuple[RoleKeys, list[str]]:
    """A role's keys, and those that are still to be lent."""
    left = list(ids)
    return RoleKeys("arn", 3600, lambda: Key(left.pop(0), "secret", "token")), left


@pytest.mark.parametrize("repeatable", [True, False])
def test_request_whose_key_has_ended_is_sent_once_more_with_another(repeatable: bool) -> None:
    """A create that must not be done twice, too: nothing was done."""
    keys, left = _lending("first", "second", "third")
    call = Hurried()
    service = Service("Ended", {"Id": "a"}, call=call, keys=keys)
    assert service.call("Create", {"Name": "n"}, repeatable=repeatable) == {"Id": "a"}
    assert service.sent == [("TAT Create", "Create", {"Name": "n"})] * 2
    assert keys.key().id == "second"
    assert left == ["third"]
    assert (call.pauses, call.said) == ([], [])


@pytest.mark.parametrize("repeatable", [True, False])
def test_request_whose_next_key_has_ended_too_is_given_up(repeatable: bool) -> None:
    keys, left = _lending("first", "second", "third")
    service = Service(*["Ended"] * 9, keys=keys)
    with pytest.raises(Expired, match=r"it has ended\. Get another"):
        service.call("Create", {}, repeatable=repeatable)
    assert len(service.sent) == 2
    assert left == ["third"]


def test_request_whose_key_nobody_renews_is_sent_once() -> None:
    service = Service("Ended", {"Id": "a"})
    with pytest.raises(Expired):
        service.call("Describe", {})
    assert len(service.sent) == 1


def test_request_whose_next_key_is_the_same_is_not_sent_again() -> None:
    service = Service("Ended", {"Id": "a"}, keys=_lending("same", "same")[0])
    with pytest.raises(Expired):
        service.call("Describe", {})
    assert len(service.sent) == 1


def test_request_that_finds_no_other_key_says_so_in_one_line() -> None:
    keys: list[Key | Error] = [Key("first", "5e1f-secret", "5e1f-token"), Error("STS is down.")]

    def lend() -> Key:
        lent = keys.pop(0)
        if isinstance(lent, Error):
            raise lent
        return lent

    service = Service("Ended", {"Id": "a"}, keys=RoleKeys("arn", 3600, lend))
    with pytest.raises(Misconfigured) as caught:
        service.call("Create", {}, repeatable=False)
    assert str(caught.value) == "no key of the role arn could be had: STS is down."
    assert len(service.sent) == 1
    assert "5e1f" not in everything_said(caught.value)


def test_fault_after_a_renewal_is_still_what_it_is() -> None:
    keys, _ = _lending("first", "second", "third")
    service = Service("Ended", Ambiguous("lost."), {"Id": "a"}, keys=keys)
    with pytest.raises(Ambiguous):
        service.call("Create", {}, repeatable=False)
    assert len(service.sent) == 2


def test_request_that_is_not_signed_is_sent_without_a_key() -> None:
    class Unsigned(Service):
        def __init__(self, *answers: str | Error | dict[str, Any]) -> None:
            super().__init__(*answers)
            self.keys = None

    service = Unsigned("Ended", {"Id": "a"})
    assert service.account == ""
    with pytest.raises(Expired):
        service.call("AssumeRoleWithOIDC", {})
    assert len(service.sent) == 1


@pytest.mark.parametrize(
    ("seconds", "patience", "may"),
    [(0, None, True), (299, None, True), (301, None, False), (9, 10, True), (11, 10, False)],
)
def test_there_is_time_to_wait_while_call_and_patience_last(
    seconds: float, patience: float | None, may: bool
) -> None:
    service = Service()
    assert service.may_wait(seconds, None if patience is None else Deadline(patience)) is may


def test_there_is_nobody_to_wait_for_once_the_engine_has_gone() -> None:
    assert not Service(call=Hurried(_context=Context(active=False))).may_wait(0)
