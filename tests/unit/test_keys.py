from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pulumi_hybrid.errors import Ambiguous, Error, Misconfigured
from pulumi_hybrid.keys import FoundKeys, GivenKey, RoleKeys, Sessions, lent
from pulumi_hybrid.settings import ALICLOUD, TENCENTCLOUD, Key, Settings

from .conftest import Clock, assert_one_line, everything_said

ROLE = "acs:ram::1234567890123456:role/deploy"


class Lender:
    """Lends keys that are numbered, and counts; fails with what it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.failure: Exception | None = None

    def __call__(self) -> Key:
        self.asked += 1
        if self.failure:
            raise self.failure
        return Key(f"id-{self.asked}", f"5e1f-secret-{self.asked}", f"5e1f-token-{self.asked}")


@pytest.fixture
def lender() -> Lender:
    return Lender()


def test_given_key_is_the_same_for_ever_and_counted_by_its_id() -> None:
    key = Key("AKID", "secret", None)
    keys = GivenKey(key)
    assert keys.key() is key
    assert keys.account == "AKID"
    assert not keys.renew(key)


# A role's


def test_roles_key_is_asked_for_when_it_is_needed_and_then_kept(lender: Lender) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    assert lender.asked == 0
    assert keys.account == ROLE
    assert keys.key() is keys.key()
    assert lender.asked == 1


@pytest.mark.parametrize(
    ("seconds", "margin"), [(43200, 300), (3600, 300), (900, 300), (600, 300), (400, 200), (10, 5)]
)
def test_roles_key_is_renewed_before_its_end(
    lender: Lender, clock: Clock, seconds: float, margin: float
) -> None:
    keys = RoleKeys(ROLE, seconds, lender)
    first = keys.key()
    clock.passes(seconds - margin - 1)
    assert keys.key() is first
    clock.passes(2)
    assert keys.key().id == "id-2"
    clock.passes(seconds - margin - 1)
    assert keys.key().id == "id-2"


def test_roles_key_lasts_from_before_it_was_asked_for(clock: Clock) -> None:
    """An answer that took a minute holds a key that is a minute old."""

    def lend() -> Key:
        clock.passes(60)
        return Key(str(clock.now), "secret", "token")

    keys = RoleKeys(ROLE, 3600, lend)
    first = keys.key()
    clock.passes(3600 - 300 - 60 - 1)
    assert keys.key() is first
    clock.passes(2)
    assert keys.key() is not first


def test_many_threads_get_one_key(clock: Clock) -> None:
    waiting, asked = threading.Event(), []

    def lend() -> Key:
        asked.append(1)
        assert waiting.wait(10)
        return Key(f"id-{len(asked)}", "secret", "token")

    keys = RoleKeys(ROLE, 3600, lend)
    for round in (1, 2):
        waiting.clear()
        with ThreadPoolExecutor(8) as threads:
            got = [threads.submit(keys.key) for _ in range(8)]
            waiting.set()
            assert {one.result(10).id for one in got} == {f"id-{round}"}
        clock.passes(3600)
    assert len(asked) == 2


def test_old_key_is_used_while_it_lasts_where_it_cannot_be_renewed(
    lender: Lender, clock: Clock
) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    first = keys.key()
    lender.failure = Ambiguous("the answer was lost.")
    clock.passes(3400)
    assert keys.key() is first
    clock.passes(199)
    assert keys.key() is first
    clock.passes(2)
    with pytest.raises(Misconfigured, match="the answer was lost"):
        keys.key()
    lender.failure = None
    assert keys.key().id != first.id


def test_vendor_that_lends_none_is_not_asked_by_every_request_while_the_old_key_lasts(
    lender: Lender, clock: Clock
) -> None:
    """All four hooks would wait for each other's question."""
    keys = RoleKeys(ROLE, 3600, lender)
    first = keys.key()
    lender.failure = Ambiguous("the answer was lost.")
    clock.passes(3400)
    assert {keys.key().id for _ in range(20)} == {first.id}
    assert lender.asked == 2
    clock.passes(31)
    lender.failure = None
    assert keys.key().id == "id-3"


def test_refused_key_is_renewed_once(lender: Lender) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    first = keys.key()
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(keys.renew, [first] * 20))
    assert keys.key().id == "id-2"
    assert lender.asked == 2


def test_refused_key_is_renewed_although_it_should_last(lender: Lender, clock: Clock) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    assert keys.renew(keys.key())
    clock.passes(3299)
    assert keys.key().id == "id-2"


def test_refused_key_is_not_used_where_it_cannot_be_renewed(lender: Lender) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    first = keys.key()
    lender.failure = Ambiguous("the answer was lost.")
    for ask in (lambda: keys.renew(first), keys.key):
        with pytest.raises(Misconfigured, match="no key of the role"):
            ask()


def test_same_key_again_is_no_other_one() -> None:
    key = Key("id", "secret", "token")
    keys = RoleKeys(ROLE, 3600, lambda: key)
    assert not keys.renew(keys.key())


def test_role_that_lends_no_key_is_one_line_that_names_it_and_why(lender: Lender) -> None:
    lender.failure = Error("it is\nnot trusted.")
    with pytest.raises(Misconfigured) as caught:
        RoleKeys(ROLE, 3600, lender).key()
    assert str(caught.value) == f"no key of the role {ROLE} could be had: it is not trusted."
    assert_one_line(str(caught.value))


def test_no_repr_holds_a_secret(lender: Lender) -> None:
    keys = RoleKeys(ROLE, 3600, lender)
    key = keys.key()
    given = GivenKey(key)
    found = FoundKeys(ALICLOUD, "the profile", lender)
    assert "5e1f" not in "".join(map(repr, (keys, key, given, found)))


NAMES = ("Id", "Secret", "Token")


def test_lent_key_is_read_from_the_answer() -> None:
    answer = {"Credentials": {"Id": "id", "Secret": "secret", "Token": "token", "More": 1}}
    assert lent(answer, *NAMES) == Key("id", "secret", "token")


@pytest.mark.parametrize(
    "credentials",
    [
        {"Id": "5e1f", "Secret": "5e1f"},
        {"Id": "5e1f", "Secret": "5e1f", "Token": None},
        {"Id": "5e1f", "Secret": "", "Token": "5e1f"},
        {"Id": 5, "Secret": "5e1f", "Token": "5e1f"},
        "5e1f",
        ["5e1f"],
    ],
)
def test_answer_without_a_whole_key_is_said_and_not_shown(credentials: Any) -> None:
    keys = RoleKeys(ROLE, 3600, lambda: lent({"Credentials": credentials}, *NAMES))
    with pytest.raises(Misconfigured, match="holds no whole key") as caught:
        keys.key()
    assert_one_line(str(caught.value))
    assert "5e1f" not in everything_said(caught.value)


# Found


def test_found_key_is_asked_for_with_each_request_and_counted_by_its_first_id(
    lender: Lender,
) -> None:
    keys = FoundKeys(TENCENTCLOUD, "the profile", lender)
    assert keys.account == "id-1"
    assert keys.key().id == "id-2"
    assert keys.account == "id-1"
    assert not keys.renew(keys.key())


@pytest.mark.parametrize("failure", [OSError("5e1f-a\nb"), AttributeError("5e1f"), Error("5e1f")])
def test_key_that_is_not_found_is_one_line_that_says_where(
    lender: Lender, failure: Exception
) -> None:
    lender.failure = failure
    with pytest.raises(Misconfigured) as caught:
        FoundKeys(TENCENTCLOUD, "the profile x", lender)
    assert "no Tencent Cloud key can be had from the profile x" in str(caught.value)
    assert_one_line(str(caught.value))
    assert "5e1f" not in str(caught.value)


def test_found_key_that_ends_says_where_it_came_from(lender: Lender) -> None:
    keys = FoundKeys(ALICLOUD, "the ECS instance's role r", lender)
    lender.failure = OSError()
    with pytest.raises(Misconfigured, match="the ECS instance's role r"):
        keys.key()


# Sessions


def _sessions(new: Callable[[Settings], object]) -> Sessions[object]:
    return Sessions(TENCENTCLOUD, new)


def test_session_is_one_for_all_that_is_alike() -> None:
    sessions = _sessions(lambda _: object())
    config = {"tencentcloud:secretId": "a", "tencentcloud:secretKey": "b"}
    first = sessions.of(Settings(dict(config), {}))
    assert sessions.of(Settings(dict(config), {"OTHER": "x"})) is first
    assert sessions.of(Settings({**config, "alicloud:accessKey": "x"}, {})) is first


@pytest.mark.parametrize(
    "other",
    [
        {"tencentcloud:secretId": "other"},
        {"tencentcloud:securityToken": "other"},
        {"tencentcloud:domain": "intl.tencentcloudapi.com"},
        {"tencentcloud:endpoint": "http://127.0.0.1:1"},
        {"tencentcloud:assumeRole": '{"roleArn": "other"}'},
        {"tencentcloud:camRoleName": "other"},
    ],
)
def test_session_is_another_for_other_settings(other: dict[str, str]) -> None:
    sessions = _sessions(lambda _: object())
    config = {"tencentcloud:secretId": "a", "tencentcloud:secretKey": "b"}
    assert sessions.of(Settings({**config, **other}, {})) is not sessions.of(Settings(config, {}))


def test_session_is_another_where_the_same_values_stand_in_other_places() -> None:
    """Who signs goes by the place."""
    sessions = _sessions(lambda settings: settings.source(TENCENTCLOUD))
    key = {"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "b"}
    role = {"TENCENTCLOUD_CAM_ROLE_NAME": "r"}
    in_config = Settings({"tencentcloud:camRoleName": "r"}, key)
    assert sessions.of(in_config) is TENCENTCLOUD.instance_role
    assert sessions.of(Settings({}, {**key, **role})) is TENCENTCLOUD.key_id


def test_many_threads_make_one_session() -> None:
    made, waiting = [], threading.Event()

    def new(settings: Settings) -> object:
        made.append(settings)
        assert waiting.wait(10)
        return object()

    sessions = _sessions(new)
    with ThreadPoolExecutor(8) as threads:
        got = [threads.submit(sessions.of, Settings({}, {})) for _ in range(8)]
        waiting.set()
        assert len({id(one.result(10)) for one in got}) == 1
    assert len(made) == 1


def test_what_is_missing_is_remembered_and_each_says_it_by_an_error_of_its_own() -> None:
    """An error is changed on its way to the engine."""
    asked = []

    def new(settings: Settings) -> object:
        asked.append(settings)
        raise Misconfigured("no key found.")

    sessions = _sessions(new)
    caught = []
    for _ in range(3):
        with pytest.raises(Misconfigured, match=r"^no key found\.$") as info:
            sessions.of(Settings({}, {}))
        info.value.operation = "cannot create"
        caught.append(info.value)
    assert len(asked) == 1
    assert len(set(map(id, caught))) == 3


def test_what_broke_is_not_remembered() -> None:
    answers: list[object] = [OSError("broke"), "session"]

    def new(_: Settings) -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sessions = _sessions(new)
    with pytest.raises(OSError, match="broke"):
        sessions.of(Settings({}, {}))
    assert sessions.of(Settings({}, {})) == "session"
