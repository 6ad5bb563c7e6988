"""Letters lie on a disk and go to others' programs: what is written is read back, and nothing else taken for one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from healthd.letters import Letter, Why
from tests.unit.builders import a_letter


def test_a_letter_comes_back_from_json_as_it_was() -> None:
    assert Letter.from_json(a_letter().to_json()) == a_letter()


def test_a_letter_about_what_has_a_name_that_is_no_utf8_can_be_given_to_everybody() -> None:
    issue = replace(a_letter().issues[0], item="/mnt/\udcff")
    letter = replace(a_letter(), title="/mnt/\udcff is full", issues=(issue,), hints=("df /mnt/\udcff",))

    back = Letter.from_json(letter.to_json())

    assert (back.title, back.issues[0].item, back.hints) == (
        r"/mnt/\udcff is full",
        r"/mnt/\udcff",
        (r"df /mnt/\udcff",),
    )


def test_what_a_later_version_adds_is_passed_over() -> None:
    plain = json.loads(a_letter().to_json())
    plain |= {"colour": "red"}
    plain["issues"][0]["colour"] = "red"

    assert Letter.from_json(json.dumps(plain).encode()) == a_letter()


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, a_letter().to_json()[:-9], b'{"why": "opened"}']
)
def test_what_is_no_letter_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="this is no letter"):
        Letter.from_json(data)


@pytest.mark.parametrize(
    ("why", "status"),
    [(Why.OPENED, "firing"), (Why.REPEATED, "firing"), (Why.RESOLVED, "resolved"), (Why.TEST, "test")],
)
def test_a_letter_says_whether_it_goes_on(why: Why, status: str) -> None:
    letter = replace(a_letter(), why=why)

    assert json.loads(letter.to_json())["status"] == status
    assert letter.over is (status == "resolved")


def test_a_letter_may_be_about_no_issue() -> None:
    assert replace(a_letter(), issues=()).main is None
