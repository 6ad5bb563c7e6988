"""Every word of the contract has its plain words."""

from __future__ import annotations

from healthd.cli import words
from healthd.cli.main import parser
from healthd.model import ActionKind, HoldReason, IssueType


def test_every_hold_says_what_it_means_and_what_can_be_done() -> None:
    assert set(words.HOLDS) == set(HoldReason)
    assert all(all(texts) for texts in words.HOLDS.values())


def test_every_issue_type_and_action_has_plain_words() -> None:
    assert set(words.ISSUES) == set(IssueType)
    assert set(words.ACTIONS) == set(ActionKind)


def test_every_action_can_be_asked_for() -> None:
    for action in ActionKind:
        assert parser().parse_args(["heal", "x", "--action", action]).action == action


def test_advice_names_the_thing_and_its_unit() -> None:
    advice = words.hold_advice("gave_up", name="web", unit="nginx.service")

    assert advice == "mend the cause (journalctl -u nginx.service), then: healthctl reset web"


def test_words_of_a_newer_daemon_stand_for_themselves() -> None:
    assert words.hold_words("full_moon") == "full_moon"
    assert words.hold_meaning("full_moon") == ""
    assert words.hold_advice("full_moon", name="x", unit=None) == ""
    assert words.issue_words("eclipse") == "eclipse"
    assert words.action_words("howl") == "howl"
