"""A body is taken apart once, and every mistake in it is named."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.errors import RequestError
from healthd.expose import fields
from healthd.model import ActionKind

KNOWN = ("name", "action", "dry_run")


def refusal(body: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        fields.parse(body, KNOWN)
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}"])
def test_nothing_is_an_empty_object(body: bytes) -> None:
    assert fields.parse(body, KNOWN) == {}


def test_known_fields_pass() -> None:
    body = b'{"name": "nginx.service", "dry_run": true}'

    assert fields.parse(body, KNOWN) == {"name": "nginx.service", "dry_run": True}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 60_000, b"9" * 60_000])
def test_what_is_not_json_is_said_to_be_none(body: bytes) -> None:
    assert str(refusal(body)) == "the body is not JSON"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"[]", "an array"), (b'"x"', "a string"), (b"1.5", "a number"), (b"true", "true or false"), (b"null", "null")],
)
def test_another_kind_of_value_is_named(body: bytes, kind: str) -> None:
    error = refusal(body)

    assert str(error) == f"the body is {kind}, not an object"
    assert error.hint == 'send a JSON object with "name", "action", "dry_run"'


def test_an_unknown_field_is_named_with_the_nearest_known_one() -> None:
    error = refusal(b'{"nam": "x"}')

    assert str(error) == 'unknown field "nam"'
    assert error.hint == 'did you mean "name"?'


def test_an_order_without_fields_says_that_it_takes_none() -> None:
    with pytest.raises(RequestError) as caught:
        fields.parse(b'{"zzz": 1}', ())

    assert caught.value.hint == "send {} or nothing"


def test_a_long_unknown_field_is_cut() -> None:
    assert len(str(refusal(json.dumps({"x" * 5000: 1}).encode()))) < 150


def test_a_missing_name_is_said_to_be_missing() -> None:
    with pytest.raises(RequestError, match='"name" is missing'):
        fields.name({})


@pytest.mark.parametrize("value", ["", "x" * 257, "a\nb", "\x1b[31m"])
def test_a_name_must_be_short_and_printable(value: str) -> None:
    with pytest.raises(RequestError, match='the field "name" must be 1 to 256 characters'):
        fields.name({"name": value})


def test_a_name_of_another_kind_is_named_so() -> None:
    with pytest.raises(RequestError, match='the field "name" is a number, not a string'):
        fields.optional_name({"name": 3})


def test_a_flag_is_false_when_left_out_and_takes_nothing_but_true_and_false() -> None:
    assert fields.flag({}, "dry_run") is False
    assert fields.flag({"dry_run": True}, "dry_run") is True
    with pytest.raises(RequestError, match='the field "dry_run" is a string, not true or false'):
        fields.flag({"dry_run": "yes"}, "dry_run")


def test_a_choice_is_one_of_its_set_and_may_be_left_out() -> None:
    assert fields.choice({"action": "start_unit"}, "action", ActionKind) is ActionKind.START_UNIT
    assert fields.choice({}, "action", ActionKind) is None


@pytest.mark.parametrize(("value", "found"), [("reboot", '"reboot"'), (["start_unit"], "an array"), ({}, "an object")])
def test_another_choice_is_refused_with_all_that_are_allowed(value: object, found: str) -> None:
    with pytest.raises(RequestError) as caught:
        fields.choice({"action": value}, "action", ActionKind)

    assert str(caught.value) == f'the field "action" is {found}'
    assert caught.value.hint.startswith("allowed: restart_unit, start_unit")


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_pass_or_be_refused(body: bytes) -> None:
    with suppress(RequestError):
        assert set(fields.parse(body, KNOWN)) <= set(KNOWN)
