from __future__ import annotations

import ipaddress
import json
import math
import string
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pulumi_hybrid.engine import Call
from pulumi_hybrid.fields import (
    ADOPT_ID,
    MADE_UP_DIGITS,
    REGION,
    AddressRange,
    AutoName,
    Choice,
    Field,
    Flag,
    Json,
    Many,
    Moment,
    Number,
    OnChange,
    Structure,
    Tags,
    Text,
    Whole,
)

TEXT = Text(name="description", most=128, default="")
LIMIT = Whole(name="register_limit", least=1, most=10000, default=10)
TERM = Whole(name="effective_time", least=1, all_alike_above=99999, unit="hours", default=4)
RANGE = AddressRange(name="ip_address_range", default="", versions=(4,))
EITHER_RANGE = AddressRange(name="ip_address_range", default="", versions=(4, 6))
WINDOW = Number(name="rotate_before_hours", least=0, unit="hours")
CHOICE = Choice(name="when_in_use", words=("disable", "fail"), default="disable")
TAGS = Tags(
    name="tags", most=3, most_in_key=5, most_in_value=6, forbidden_starts=("aliyun", "acs:")
)
JSON = Json(name="parameter")
MOMENT = Moment(name="paid_until")
SOON = Moment(name="paid_until", most_years=5)
CODE = Text(name="client_token", most=64, ascii_only=True)
EVERY_FIELD: list[Field] = [
    TEXT,
    LIMIT,
    TERM,
    RANGE,
    EITHER_RANGE,
    REGION,
    ADOPT_ID,
    WINDOW,
    CHOICE,
    TAGS,
    JSON,
    MOMENT,
    SOON,
    CODE,
]

NOT_A_NUMBER = st.one_of(
    st.sampled_from([math.nan, math.inf, -math.inf, True, False, "10", "٣", "", b"10"]),
    st.integers(1, 10000).map(str),
    st.lists(st.integers(1, 10), max_size=2),
    st.dictionaries(st.just("value"), st.integers(1, 10), max_size=1),
)
NOT_TEXT = st.one_of(
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.booleans(),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
ANYTHING = st.one_of(
    st.text(),
    NOT_A_NUMBER,
    NOT_TEXT,
    st.sampled_from([10**300, -(10**300), 2**63, 1e308, 5e-324]),
)

TEXTS_TO_COMPARE = st.text(max_size=5)
LIMITS = st.integers(1, 10000)
TERMS = st.one_of(st.integers(1, 99999), st.integers(99990, 100010), st.integers(100000, 10**12))
# Characters beyond the basic plane are two units in UTF-16 and four bytes in UTF-8.
CHARACTERS = st.characters(exclude_categories=["Cs"])
ASTRAL = st.characters(min_codepoint=0x10000)


@pytest.mark.parametrize(
    ("name", "wire_name"),
    [
        ("description", "Description"),
        ("instance_name_prefix", "InstanceNamePrefix"),
        ("register_limit", "RegisterLimit"),
        ("effective_time", "EffectiveTime"),
        ("ip_address_range", "IpAddressRange"),
    ],
)
def test_wire_name_is_the_vendors(name: str, wire_name: str) -> None:
    assert Text(name=name, most=1).wire_name == wire_name


def test_plain_field_must_say_what_is_a_problem() -> None:
    with pytest.raises(NotImplementedError):
        Field(name="x").problem("y")


@given(st.sampled_from(EVERY_FIELD), ANYTHING)
def test_any_field_answers_any_value_with_a_sentence_or_nothing(field: Field, value: Any) -> None:
    problem = field.problem(value)
    assert problem is None or (problem and "\n" not in problem)


@given(st.sampled_from(EVERY_FIELD), ANYTHING)
def test_a_value_without_problem_is_normal_once_and_for_all(field: Field, value: Any) -> None:
    if field.problem(value) is not None:
        return
    normal = field.normal(value)
    assert normal is None or field.problem(normal) is None
    assert normal is None or field.normal(normal) == normal
    assert not field.differs(value, normal)


@given(st.sampled_from(EVERY_FIELD), st.text(CHARACTERS, min_size=12, max_size=300))
def test_a_problem_never_holds_the_value(field: Field, value: str) -> None:
    assert value not in (field.problem(value) or "")


@given(st.integers(10_001, 10**15))
def test_a_problem_never_holds_a_number_that_is_too_large(value: int) -> None:
    problem = LIMIT.problem(value)
    assert problem is not None
    assert str(value) not in problem


# Text


@given(st.integers(1, 64), st.data())
def test_text_is_measured_in_characters_not_bytes(most: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 2 * most))
    value = data.draw(st.text(st.one_of(CHARACTERS, ASTRAL), min_size=length, max_size=length))
    problem = Text(name="x", most=most).problem(value)
    if length <= most:
        assert problem is None
    else:
        assert problem == f"must have at most {most} characters, has {length}"


@pytest.mark.parametrize("most", [32, 128])
@pytest.mark.parametrize("character", ["a", "é", "汉", "🚀"])
def test_text_as_long_as_allowed_is_taken_and_one_more_refused(most: int, character: str) -> None:
    field = Text(name="x", most=most)
    assert field.problem(character * most) is None
    assert field.problem(character * (most + 1)) is not None


@given(NOT_TEXT)
def test_text_must_be_text(value: Any) -> None:
    assert TEXT.problem(value) == "must be text"


@given(TEXTS_TO_COMPARE, TEXTS_TO_COMPARE)
def test_text_differs_when_it_is_another(old: str, new: str) -> None:
    assert TEXT.differs(old, new) is (old != new)


# Whole


@given(st.integers(-(10**9), 10**9))
def test_whole_takes_just_the_range(value: int) -> None:
    assert (LIMIT.problem(value) is None) is (1 <= value <= 10000)
    assert (LIMIT.problem(float(value)) is None) is (1 <= value <= 10000)
    assert (TERM.problem(value) is None) is (value >= 1)


@pytest.mark.parametrize("value", [0, -1, 0.0, 10001, 10001.0])
def test_whole_outside_its_range_says_the_range(value: float) -> None:
    assert LIMIT.problem(value) == "must be from 1 to 10000"


@pytest.mark.parametrize("value", [1, 10000, 1.0, 10000.0])
def test_whole_takes_both_ends(value: float) -> None:
    assert LIMIT.problem(value) is None


def test_whole_without_upper_limit_says_the_least_and_the_unit() -> None:
    assert TERM.problem(0) == "must be at least 1 (hours)"


@given(st.floats(1, 9999).filter(lambda value: value != int(value)))
def test_whole_refuses_a_fraction(value: float) -> None:
    assert LIMIT.problem(value) == "must be a whole number"


@given(NOT_A_NUMBER)
def test_whole_refuses_what_is_no_number(value: Any) -> None:
    assert LIMIT.problem(value) == "must be a whole number"
    assert TERM.problem(value) == "must be a whole number (hours)"


@pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["huge", "negative"])
def test_whole_refuses_a_number_that_no_float_can_hold(value: int) -> None:
    assert LIMIT.problem(value) is not None


@given(LIMITS)
def test_whole_goes_out_as_an_integer_although_the_engine_makes_it_a_float(value: int) -> None:
    normal = LIMIT.normal(float(value))
    assert normal == value
    assert type(normal) is int
    assert not LIMIT.differs(value, float(value))


@given(LIMITS, LIMITS)
def test_whole_differs_when_it_is_another(old: int, new: int) -> None:
    assert LIMIT.differs(old, new) is (old != new)


@given(TERMS, TERMS)
def test_terms_above_the_longest_are_alike_and_all_others_differ(old: int, new: int) -> None:
    both_for_ever = old > 99999 and new > 99999
    assert TERM.differs(old, new) is (old != new and not both_for_ever)
    assert TERM.differs(new, old) is TERM.differs(old, new)


def test_the_longest_term_is_not_for_ever() -> None:
    assert TERM.differs(99999, 100000)
    assert not TERM.differs(100000, 100001)


@given(st.integers(100000, 10**12))
def test_a_term_for_ever_is_sent_as_given(value: int) -> None:
    assert TERM.normal(float(value)) == value


# None is the default


@given(st.one_of(TEXTS_TO_COMPARE, st.just("")))
def test_no_text_is_the_empty_text(value: str) -> None:
    assert TEXT.differs(None, value) is (value != "")
    assert TEXT.differs(value, None) is (value != "")


@given(st.one_of(LIMITS, st.just(10)))
def test_no_limit_is_the_vendors_default(value: int) -> None:
    assert LIMIT.differs(None, float(value)) is (value != 10)
    assert LIMIT.differs(float(value), None) is (value != 10)


@pytest.mark.parametrize("field", EVERY_FIELD)
def test_nothing_does_not_differ_from_nothing(field: Field) -> None:
    assert not field.differs(None, None)
    assert not field.differs(None, field.default)
    assert not field.differs(field.default, None)


def test_a_region_where_there_was_none_is_a_difference() -> None:
    assert REGION.differs(None, "ap-guangzhou")
    assert REGION.differs("ap-guangzhou", None)


# IPv4Range


@given(st.ip_addresses(v=4))
def test_range_takes_every_ipv4_address(address: ipaddress.IPv4Address) -> None:
    assert RANGE.problem(str(address)) is None


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_range_takes_every_block_even_with_host_bits(
    address: ipaddress.IPv4Address, length: int
) -> None:
    assert RANGE.problem(f"{address}/{length}") is None


@given(st.ip_addresses(v=4), st.one_of(st.integers(33, 1000), st.integers(-1000, -1)))
def test_range_refuses_a_prefix_that_there_is_not(
    address: ipaddress.IPv4Address, length: int
) -> None:
    assert RANGE.problem(f"{address}/{length}") is not None


@given(st.ip_addresses(), st.integers(0, 32))
def test_range_of_either_kind_takes_both(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    assert EITHER_RANGE.problem(str(address)) is None
    assert EITHER_RANGE.problem(f"{address}/{length}") is None


@pytest.mark.parametrize(
    "value",
    [
        "2001:db8::1/129",
        "2001:db8:::1",
        "fe80::1%eth0",
        "::1 ",
        "[::1]",
        "2001:db8::1/64/64",
        "::g",
    ],
)
def test_range_of_either_kind_refuses_what_is_none(value: str) -> None:
    problem = EITHER_RANGE.problem(value)
    assert problem is not None
    assert problem.startswith("must be an IPv4 or IPv6 address or CIDR block")


@given(st.ip_addresses(v=6))
def test_range_refuses_ipv6(address: ipaddress.IPv6Address) -> None:
    assert RANGE.problem(str(address)) is not None
    assert RANGE.problem(f"{address}/64") is not None


def test_range_may_be_empty() -> None:
    assert RANGE.problem("") is None


@pytest.mark.parametrize(
    "value",
    [
        "192.168.1",
        "192.168.1.256",
        "192.168.1.1.1",
        "192.168.1.1 ",
        " 192.168.1.1",
        "192.168.1.1\n",
        "192.168.1.1/",
        "192.168.1.1/8/8",
        "192.168.0.0/255.255.0.0",
        "192.168.0.0/0.0.255.255",
        "192.168.1.01",
        "192.168.1.1/٨",
        "١٩٢.168.1.1",
        "1",
        "3232235777",
        "0x7f.0.0.1",
        "192.168.1.1,192.168.1.2",
        "localhost",
        ".",
        "/",
        "-",
    ],
)
def test_range_refuses_what_is_no_address_and_says_what_is(value: str) -> None:
    assert RANGE.problem(value) == (
        "must be an IPv4 address or CIDR block, such as 192.168.1.1 or 192.168.0.0/16"
    )


@given(st.text(string.digits + "./", max_size=20))
def test_range_takes_no_text_that_python_does_not_read_as_an_address(value: str) -> None:
    assume(value != "")
    if RANGE.problem(value) is None:
        octets, _, length = value.partition("/")
        assert all(0 <= int(octet) <= 255 for octet in octets.split("."))
        assert len(octets.split(".")) == 4
        assert 0 <= int(length or 0) <= 32


@given(NOT_TEXT)
def test_range_refuses_what_is_no_text(value: Any) -> None:
    assert RANGE.problem(value) is not None


# Region


@pytest.mark.parametrize(
    "value",
    ["ap-guangzhou", "ap-hongkong", "na-siliconvalley", "eu-frankfurt", "ap-shanghai-fsi", "us"],
)
def test_region_takes_a_regions_name(value: str) -> None:
    assert REGION.problem(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "AP-Guangzhou",
        "ap_guangzhou",
        "ap guangzhou",
        "ap-guangzhou\n",
        "ap-guangzhou\r\nX-TC-Token: t",
        "-ap",
        "ap-",
        "ap--guangzhou",
        "ap-guangzhou.example.com",
        "广州",
        "a" * 65,
    ],
)
def test_region_refuses_what_is_no_regions_name(value: str) -> None:
    assert REGION.problem(value) is not None


@given(st.text(max_size=80))
def test_region_that_is_taken_can_stand_in_a_header_and_a_host(value: str) -> None:
    if REGION.problem(value) is None:
        assert 0 < len(value) <= 64
        assert set(value) <= set(string.ascii_lowercase + string.digits + "-")


def test_region_is_no_part_of_the_body() -> None:
    assert not REGION.sent
    assert REGION.on_change is OnChange.REPLACE


# What tells the package what to do


def test_adopt_id_is_not_sent_and_its_change_does_nothing() -> None:
    assert not ADOPT_ID.sent
    assert ADOPT_ID.on_change is OnChange.NOTHING


@pytest.mark.parametrize("value", ["", " ", "rc 1", "rc-1\n", "x" * 257])
def test_adopt_id_refuses_what_is_no_id(value: str) -> None:
    assert ADOPT_ID.problem(value) is not None


def test_adopt_id_takes_an_id_of_letters_that_are_not_hex() -> None:
    assert ADOPT_ID.problem("9b5rb72b-418f-4a81-b32e-f8bc80eef678") is None


@given(st.floats(min_value=0, allow_nan=False, allow_infinity=False, max_value=1e6))
def test_number_takes_fractions_from_its_least_on(value: float) -> None:
    assert WINDOW.problem(value) is None


@given(st.one_of(NOT_A_NUMBER, st.floats(max_value=-1e-9, allow_nan=False)))
def test_number_refuses_what_is_none_or_too_small(value: Any) -> None:
    assert WINDOW.problem(value) == "must be a number of at least 0 (hours)"


def test_number_says_its_own_least() -> None:
    field = Number(name="x", least=1.5, unit="days")
    assert field.problem(1) == "must be a number of at least 1.5 (days)"
    assert field.problem(1.5) is None


# Choice


@pytest.mark.parametrize("value", ["disable", "fail"])
def test_choice_takes_its_words(value: str) -> None:
    assert CHOICE.problem(value) is None


@given(st.one_of(ANYTHING, st.sampled_from(["", "Disable", "disable ", "disabl"])))
def test_choice_refuses_all_else_and_says_its_words(value: Any) -> None:
    assume(value not in ("disable", "fail"))
    assert CHOICE.problem(value) == "must be one of disable, fail"


# Tags


TAG_KEYS = st.text(CHARACTERS, min_size=1, max_size=5).filter(
    lambda key: not key.startswith(("aliyun", "acs:"))
)
TAG_VALUES = st.text(CHARACTERS, max_size=6)


@given(st.dictionaries(TAG_KEYS, TAG_VALUES, max_size=3))
def test_tags_take_everything_within_the_limits(value: dict[str, str]) -> None:
    assert TAGS.problem(value) is None
    assert TAGS.normal(value) == (value or None)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": "", "b": "", "c": "", "d": ""}, "must have at most 3 tags, has 4"),
        ({"": "v"}, "must have keys of 1 to 5 characters"),
        ({"🚀" * 6: "v"}, "must have keys of 1 to 5 characters"),
        ({"k": "🚀" * 7}, "must have values of at most 6 characters"),
        ({"acs:k": "v"}, "must have no key that begins with aliyun or acs:"),
        ({"k": 1.0}, "must have text for values"),
        ({"k": None}, "must have text for values"),
        ({"k": ["v"]}, "must have text for values"),
        ([], "must be a mapping of keys to values"),
        ("k=v", "must be a mapping of keys to values"),
        (True, "must be a mapping of keys to values"),
    ],
)
def test_tags_outside_the_limits_say_which(value: Any, problem: str) -> None:
    assert TAGS.problem(value) == problem


@pytest.mark.parametrize("value", [{"http://a": "v"}, {"k": "see https://a"}, {"k": "HTTP://A"}])
def test_tags_refuse_an_address_without_showing_it(value: dict[str, str]) -> None:
    tags = Tags(name="tags", most=3, most_in_key=64, most_in_value=64, forbidden_starts=("x",))
    assert tags.problem(value) == "must have no http:// or https:// in a key or value"


@given(st.dictionaries(TAG_KEYS, TAG_VALUES, max_size=3), st.dictionaries(TAG_KEYS, TAG_VALUES))
def test_tags_differ_when_they_are_others_in_whatever_order(
    old: dict[str, str], new: dict[str, str]
) -> None:
    assert TAGS.differs(old, new) is (old != new)
    assert not TAGS.differs(old, dict(reversed(old.items())))


def test_no_tags_are_as_good_as_none_given() -> None:
    assert not TAGS.differs({}, None)
    assert not TAGS.differs(None, {})
    assert TAGS.differs({"k": "v"}, None)


# What taking an input out of the program means


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (Text(name="x", most=9, kept_when_absent=True), "rg-1"),
        (Whole(name="x", least=1, kept_when_absent=True), 7),
        (Choice(name="x", words=("a", "b"), kept_when_absent=True), "b"),
    ],
    ids=["text", "whole", "choice"],
)
def test_a_field_that_is_kept_when_absent_still_differs_from_what_the_cloud_made_of_it(
    field: Field, value: Any
) -> None:
    """That the program may leave it out hides no drift: a diff knows that, a value does not."""
    assert field.differs(value, None)
    assert field.differs(None, value)
    assert not field.differs(value, value)
    assert not field.differs(None, None)


@given(st.text(CHARACTERS, max_size=8))
def test_text_may_have_a_least_length(value: str) -> None:
    problem = Text(name="x", least=3, most=5).problem(value)
    assert (problem is None) is (3 <= len(value) <= 5)
    assert str(len(value)) in (problem or str(len(value)))


@given(st.integers(0, 8), st.integers(0, 8))
def test_text_of_a_least_and_a_most_says_which_it_breaks(length: int, least: int) -> None:
    problem = Text(name="x", least=least, most=6).problem("🚀" * length)
    if length > 6:
        assert problem == f"must have at most 6 characters, has {length}"
    elif length < least:
        assert problem == f"must have at least {least} characters, has {length}"
    else:
        assert problem is None


@given(st.ip_addresses(v=6), st.integers(0, 128))
def test_range_of_either_kind_takes_every_ipv6_block_in_any_spelling(
    address: ipaddress.IPv6Address, length: int
) -> None:
    for spelling in (address.compressed, address.exploded, address.compressed.upper()):
        assert EITHER_RANGE.problem(f"{spelling}/{length}") is None


@given(st.ip_addresses(), st.integers(129, 999))
def test_range_of_either_kind_refuses_a_prefix_that_no_version_has(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    assert EITHER_RANGE.problem(f"{address}/{length}") is not None


def test_range_of_one_kind_names_only_that_kind() -> None:
    only_v6 = AddressRange(name="x", versions=(6,))
    assert only_v6.problem("2001:db8::/32") is None
    assert (only_v6.problem("192.0.2.1") or "").startswith("must be an IPv6 address")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"k" * 5: "v" * 6}, True),
        ({"": ""}, False),
        ({"ACS:": ""}, True),
        ({"kacs:": ""}, True),
        ({"acs": ""}, True),
        ({"k": "acs:x"}, True),
        ({1: "v"}, False),
    ],
)
def test_tags_forbid_just_what_a_key_begins_with(value: Any, taken: bool) -> None:
    assert (TAGS.problem(value) is None) is taken


# Structure and Many

PART = Structure(
    name="policy",
    parts=(
        AddressRange(name="cidr_block", required=True, versions=(4,)),
        Text(name="note", most=5, default=""),
        Flag(name="on", wire="IsOn", default=True),
        Whole(name="weight", least=1),
    ),
)
LIST = Many(name="policies", each=PART, most=3, default=[])


def test_structure_takes_what_is_right_in_every_part() -> None:
    whole = {"cidr_block": "192.0.2.1", "note": "", "on": False, "weight": 2.0}
    assert list(PART.problems(whole)) == []
    assert list(PART.problems({"cidr_block": "192.0.2.1"})) == []


@pytest.mark.parametrize("nothing", [{}, {"cidr_block": None}, {"cidr_block": ""}])
def test_structure_takes_a_required_part_that_is_as_good_as_none_for_not_given(
    nothing: dict[str, Any],
) -> None:
    assert list(PART.problems(nothing)) == ["policy.cidr_block: is not given"]


def test_structure_says_each_problem_once_by_the_path_of_the_part() -> None:
    wrong = {"cidr_block": "x", "note": "much too long", "on": 1, "weight": 0, "colour": "red"}
    assert list(PART.problems(wrong)) == [
        "policy: has no part colour; its parts are cidr_block and note and on and weight",
        "policy.cidr_block: must be an IPv4 address or CIDR block, such as 192.168.1.1 or "
        "192.168.0.0/16",
        "policy.note: must have at most 5 characters, has 13",
        "policy.on: must be true or false",
        "policy.weight: must be at least 1",
    ]


@pytest.mark.parametrize("value", [None, [], "x", 1, True])
def test_structure_must_be_a_mapping(value: Any) -> None:
    assert list(PART.problems(value)) == ["policy: must be a mapping"]


def test_structure_on_the_wire_has_its_defaults_and_the_vendors_names() -> None:
    assert PART.on_wire({"cidr_block": "192.0.2.1"}) == {
        "CidrBlock": "192.0.2.1",
        "Note": "",
        "IsOn": True,
    }
    given = {"cidr_block": "192.0.2.1", "note": "n", "on": False, "weight": 3}
    assert PART.on_wire(given) == {
        "CidrBlock": "192.0.2.1",
        "Note": "n",
        "IsOn": False,
        "Weight": 3,
    }


def test_structure_in_a_structure_is_on_the_wire_under_its_own_names() -> None:
    outer = Structure(name="outer", parts=(PART, Whole(name="period", least=1, default=1)))
    sent = outer.on_wire({"policy": {"cidr_block": "192.0.2.1", "on": False}})
    assert sent["Policy"]["IsOn"] is False
    assert sent["Period"] == 1


def test_structure_is_kept_without_what_is_not_given_and_numbers_whole() -> None:
    normal = PART.normal({"cidr_block": "192.0.2.1", "note": None, "weight": 2.0})
    assert normal == {"cidr_block": "192.0.2.1", "weight": 2}
    assert type(normal["weight"]) is int


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        ({"cidr_block": "a"}, {"cidr_block": "a", "note": "", "on": True}, False),
        ({"cidr_block": "a", "weight": 1}, {"cidr_block": "a", "weight": 1.0}, False),
        ({"cidr_block": "a"}, {"cidr_block": "b"}, True),
        ({"cidr_block": "a"}, {"cidr_block": "a", "on": False}, True),
        ({"cidr_block": "a"}, None, True),
        (None, None, False),
    ],
)
def test_structure_differs_in_what_its_parts_mean(old: Any, new: Any, differs: bool) -> None:
    assert PART.differs(old, new) is differs
    assert PART.differs(new, old) is differs


@given(st.integers(0, 6))
def test_many_may_be_as_many_as_allowed(count: int) -> None:
    problems = list(LIST.problems([{"cidr_block": "192.0.2.1"}] * count))
    assert problems == (
        [] if count <= 3 else [f"policies: must have at most 3 entries, has {count}"]
    )


def test_many_without_a_limit_may_be_any_number() -> None:
    assert list(Many(name="x", each=PART).problems([{"cidr_block": "192.0.2.1"}] * 500)) == []


def test_many_says_which_one_is_wrong() -> None:
    items = [{"cidr_block": "192.0.2.1"}, {"cidr_block": ""}, "x"]
    assert list(LIST.problems(items)) == [
        "policies[1].cidr_block: is not given",
        "policies[2]: must be a mapping",
    ]
    assert list(LIST.problems({})) == ["policies: must be a list"]


def test_many_means_the_same_in_any_order_and_none_is_the_empty_list() -> None:
    a, b = {"cidr_block": "192.0.2.1"}, {"cidr_block": "192.0.2.2", "on": True}
    assert not LIST.differs([a, b], [{"cidr_block": "192.0.2.2"}, a])
    assert LIST.differs([a, b], [a])
    assert LIST.differs([a, a], [a])
    assert not LIST.differs(None, [])


# AutoName

AUTO = AutoName(name="registry_name", least=1, most=20)
RESOURCE_NAMES = st.one_of(
    st.text(CHARACTERS, max_size=30),
    st.sampled_from(["app", "My_App", "a" * 12, "a" * 13, "a" * 11 + "-b", "--", "汉字", ""]),
)


def _call(resource: str) -> Call:
    return Call(urn=f"urn:pulumi:dev::unit::type::{resource}")


@given(RESOURCE_NAMES)
def test_a_made_up_name_fits_the_vendor_and_is_known_again(resource: str) -> None:
    call = _call(resource.replace("::", ""))
    name = AUTO.filled(None, call)
    assert AUTO.problem(name) is None
    assert set(name) <= set(string.ascii_lowercase + string.digits + "-")
    assert name == name.strip("-")
    assert "--" not in name
    assert AUTO.is_made_up(name, call)
    assert AUTO.filled(name, call) == name


@pytest.mark.parametrize(
    ("resource", "stem"),
    [("app", "app"), ("My_App 2", "my-app-2"), ("汉字", "resource"), ("a" * 30, "a" * 12)],
)
def test_a_made_up_name_begins_with_the_resources(resource: str, stem: str) -> None:
    name = AUTO.filled(None, _call(resource))
    assert name[:-MADE_UP_DIGITS] == f"{stem}-"


def test_a_made_up_name_is_another_each_time() -> None:
    assert len({AUTO.filled(None, _call("app")) for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "name",
    ["app", "app-", "app-0123ab", "app-0123abcd", "app-0123abg", "app-0123ABC", "bpp-0123abc"],
)
def test_another_name_is_not_taken_for_a_made_up_one(name: str) -> None:
    assert not AUTO.is_made_up(name, _call("app"))
    assert AUTO.is_made_up("app-0123abc", _call("app"))


# Printable ASCII


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=64))
def test_printable_ascii_is_none_of_ascii_onlys_problems(value: str) -> None:
    assert CODE.problem(value) is None


@given(
    st.one_of(
        st.characters(min_codepoint=127, exclude_categories=["Cs"]), st.characters(max_codepoint=31)
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_anything_else_is_a_problem_of_ascii_only_alone(character: str, around: str) -> None:
    assert CODE.problem(around + character) == "must be printable ASCII"
    assert CODE.problem(character + around) == "must be printable ASCII"
    assert Text(name="x", most=64).problem(around + character) is None


# JSON

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**50), 2**50),
    st.floats(-1e15, 1e15, allow_nan=False),
    st.text(CHARACTERS, max_size=5),
)
OBJECTS = st.dictionaries(
    st.text(CHARACTERS, max_size=4),
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(CHARACTERS, max_size=3), inner, max_size=3),
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def _as_the_engine_has_it(value: Any) -> Any:
    """Every number a float, and each mapping in another order."""
    if isinstance(value, dict):
        return {key: _as_the_engine_has_it(item) for key, item in reversed(list(value.items()))}
    if isinstance(value, list):
        return [_as_the_engine_has_it(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@given(OBJECTS)
def test_json_is_the_same_however_it_is_written(value: dict[str, Any]) -> None:
    ways = [
        value,
        _as_the_engine_has_it(value),
        json.dumps(value),
        json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False),
        json.dumps(_as_the_engine_has_it(value)),
    ]
    for way in ways:
        assert JSON.problem(way) is None
        assert not JSON.differs(value, way)
        assert not JSON.changed(way, value)
        assert JSON.effective(way) == JSON.effective(value)
        assert json.loads(JSON.on_wire(way)) == value


@given(OBJECTS, st.text(CHARACTERS, max_size=3), st.text(CHARACTERS, min_size=1, max_size=3))
def test_json_that_holds_something_else_differs(value: dict[str, Any], key: str, new: str) -> None:
    assume(value.get(key) != new)
    other = {**value, key: new}
    assert JSON.differs(value, other)
    assert JSON.changed(json.dumps(value), other)
    assert JSON.effective(json.dumps(value)) != JSON.effective(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"n": 1}, {"n": "1"}),
        ({"n": 1}, {"n": True}),
        ({"n": 0}, {"n": None}),
        ({"n": None}, {}),
        ({"n": [1, 2]}, {"n": [2, 1]}),
        ({"n": 1.5}, {"n": 1}),
    ],
)
def test_json_knows_what_looks_alike_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert JSON.differs(one, other)
    assert JSON.differs(json.dumps(one), other)
    assert JSON.differs(one, json.dumps(other))


def test_json_of_whole_floats_travels_without_points() -> None:
    assert JSON.on_wire({"b": [1.0, {"c": 2.0}], "a": 0.5}) == '{"a":0.5,"b":[1,{"c":2}]}'


@given(OBJECTS)
def test_json_text_travels_as_it_is(value: dict[str, Any]) -> None:
    written = json.dumps(value, indent=3)
    assert JSON.on_wire(written) == written


@pytest.mark.parametrize(
    "value",
    ["", "x", "[]", "1", '"{}"', "null", "{", '{"a": NaN}', '{"a": -Infinity}', [], 1, True, b"{}"],
)
def test_json_that_is_no_object_is_a_problem(value: Any) -> None:
    assert JSON.problem(value) == "must be a mapping, or a JSON object as text"
    assert JSON.read(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2027-01-31T00:00:00Z",
        "2027-01-31T00:00:00.123Z",
        "2027-01-31T00:00:00+08:00",
        "2027-01-31T00:00:00-11:30",
        "2000-01-01T00:00:00Z",
    ],
)
def test_moment_takes_what_rfc_3339_calls_a_date_and_time(value: str) -> None:
    assert MOMENT.problem(value) is None
    assert SOON.problem(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "2027-01-31",
        "20270131",
        "2027-01-31T00:00:00",
        "2027-01-31 00:00:00Z",
        "2027-01-31T00:00Z",
        "20270131T000000Z",
        "2027-W04-7T00:00:00Z",
        "2027-01-31T00:00:00+0800",
        "2027-02-30T00:00:00Z",
        "2027-01-31T24:30:00Z",
        "1999-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        " 2027-01-31T00:00:00Z",
        "",
        20270131,
        None,
        ["2027-01-31T00:00:00Z"],
    ],
)
def test_moment_takes_nothing_else(value: Any) -> None:
    assert MOMENT.problem(value) == "must be a point in time, such as 2027-01-31T00:00:00Z"


def test_moment_may_be_so_many_years_from_now() -> None:
    assert SOON.problem("2999-01-01T00:00:00Z") == "must be at most 5 years from now"
    assert MOMENT.problem("2999-01-01T00:00:00Z") is None
