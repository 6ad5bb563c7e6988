"""Whom people would have been told what, under other settings: by the engine's own alerts, as time passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.decide.silence import Kind, Scope
from healthd.model import IssueType, Severity
from healthd.record.deeds import TOLD, Deed
from healthd.simulate.people import exchanges, messages
from healthd.simulate.replay import Told
from tests.fake_units import service
from tests.unit.builders import UNIT, finding, item, settings
from tests.unit.decide.bench import fail_attempt, healed
from tests.unit.decide.inbox import BROKEN, telling
from tests.unit.simulate.taped import TapedBench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.config import Settings
    from healthd.simulate.replay import Replayed

OTHER = "other.service"
HOUR = 3600.0


def taped(configuration: Settings | None = None) -> TapedBench:
    return TapedBench(service(UNIT), service(OTHER), configuration=configuration or telling())


def hopeless(bench: TapedBench, name: str = UNIT) -> TapedBench:
    """The unit is killed, and no attempt helps."""
    bench.kill(name)
    bench.turn([name])
    for _ in range(3):
        fail_attempt(bench, name)
        bench.later(100.0)
    return bench


def back(bench: TapedBench, name: str = UNIT) -> TapedBench:
    """Somebody mends the unit."""
    bench.bring_up(name)
    bench.turn([name])
    bench.later(100.0)
    return bench


def why(told: Sequence[Told]) -> list[str]:
    return [message.why for message in messages(told)]


def because(replayed: Replayed) -> dict[str, str]:
    """Of what was told or would be in one of the worlds only."""
    both = exchanges(messages(replayed.was), messages(replayed.would))
    return {(each.was or each.would).why: each.because for each in both if None in (each.was, each.would)}  # type: ignore[union-attr]


def test_fewer_attempts_call_a_person_at_once() -> None:
    bench = back(hopeless(taped()))

    replayed = bench.replayed(telling(health={"max_healing_attempts": 1}))

    assert why(replayed.was) == ["opened", "gave_up", "resolved"]
    assert why(replayed.would) == ["gave_up", "resolved"]
    assert because(replayed) == {"opened": "it would have been told already"}


def test_where_nobody_was_told_it_is_known_what_people_would_have_been_told() -> None:
    bench = back(hopeless(taped(settings())))

    replayed = bench.replayed(telling())

    assert why(replayed.was) == []
    assert why(replayed.would) == ["opened", "gave_up", "resolved"]
    assert set(because(replayed).values()) == {"nobody was to be told: [alerting] named no receiver"}


def test_a_higher_limit_of_severity_waits_until_healthd_gives_up() -> None:
    bench = back(hopeless(taped()))

    replayed = bench.replayed(telling(alerting={"min_severity": "critical"}))

    assert why(replayed.would) == ["gave_up", "resolved"]
    assert because(replayed) == {"opened": "high is less than alerting.min_severity, critical"}


def test_a_lower_limit_of_severity_says_what_was_less_than_the_old_one() -> None:
    bench = back(hopeless(taped(telling(alerting={"min_severity": "critical"}))))

    replayed = bench.replayed(telling())

    assert why(replayed.was) == ["gave_up", "resolved"]
    assert because(replayed) == {"opened": "high is less than alerting.min_severity was, critical"}


def test_what_is_told_again_at_other_times_says_so() -> None:
    bench = hopeless(taped(telling(alerting={"repeat_seconds": 3 * HOUR}, retry_after_give_up_seconds=0.0)))
    bench.later(5 * HOUR)

    rare = bench.replayed(telling(alerting={"repeat_seconds": 6 * HOUR}, retry_after_give_up_seconds=0.0))
    often = bench.replayed(telling(alerting={"repeat_seconds": 1.3 * HOUR}, retry_after_give_up_seconds=0.0))

    assert because(rare) == {"repeated": "it would have been told again at other times"}
    assert because(often) == {"repeated": "it was told again at other times"}


def test_what_was_never_told_again_says_so() -> None:
    bench = hopeless(taped(telling(alerting={"repeat_seconds": 0.0}, retry_after_give_up_seconds=0.0)))
    bench.later(5 * HOUR)

    replayed = bench.replayed(telling(retry_after_give_up_seconds=0.0))

    assert because(replayed) == {"repeated": "alerting.repeat_seconds was 0"}


@pytest.mark.parametrize(("seconds", "times"), [(HOUR, 10), (8 * HOUR, 1), (0.0, 0)])
def test_what_goes_on_is_told_again_as_often_as_the_settings_have_it(seconds: float, times: int) -> None:
    bench = hopeless(taped(telling(alerting={"repeat_seconds": 2 * HOUR}, retry_after_give_up_seconds=0.0)))
    bench.later(10.5 * HOUR)

    replayed = bench.replayed(
        telling(alerting={"repeat_seconds": seconds}, retry_after_give_up_seconds=0.0),
    )

    assert why(replayed.was).count("repeated") == 5
    assert why(replayed.would).count("repeated") == times
    if not seconds:
        assert because(replayed) == {"repeated": "alerting.repeat_seconds is 0"}


def test_what_is_grouped_for_longer_is_told_later_and_together() -> None:
    bench = taped(telling(alerting={"min_severity": Severity.LOW}, verify_seconds=1.0))
    begin = bench.wall
    found = [finding(type_, unit=None) for type_ in (IssueType.READ_ONLY, IssueType.INODES_FULL)]
    for known in (1, 2):
        bench.others[BROKEN] = item(*found[:known], name=BROKEN[1], unit=None)
        bench.look_at(BROKEN)
        bench.later(5.0)
    bench.later(100.0)

    replayed = bench.replayed(
        telling(alerting={"min_severity": Severity.LOW, "group_seconds": 20.0}, verify_seconds=1.0)
    )

    assert [(each.why, round(each.at - begin)) for each in messages(replayed.was)] == [("opened", 0), ("joined", 60)]
    assert [(each.why, round(each.at - begin)) for each in messages(replayed.would)] == [("opened", 20)]
    opened, joined = exchanges(messages(replayed.was), messages(replayed.would))
    assert opened.because == "it would have waited for what belongs to it: alerting.group_seconds is 20"
    assert joined.because == "it would have been told already"


def test_what_comes_and_goes_is_told_as_that_and_its_end_when_it_is_calm() -> None:
    bench = taped(settings())
    for _ in range(4):
        bench.kill(UNIT)
        bench.turn([UNIT])
        healed(bench)
        bench.later(400.0)
    bench.later(2 * HOUR)

    replayed = bench.replayed(telling())

    assert why(replayed.would) == ["flapping", "resolved"]


def test_a_silence_of_the_record_keeps_people_from_being_told_in_both_worlds() -> None:
    bench = taped()
    bench.silence(Scope(Kind.UNITS, UNIT), 100.0)
    bench.turn(())
    begin = bench.wall
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(400.0)

    (told,) = messages(bench.replayed(telling(verify_seconds=5.0)).would)

    assert 99 < told.at - begin < 110


def test_a_reminder_to_a_program_is_no_message_to_people() -> None:
    bench = hopeless(taped())
    bench.later(1000.0)

    replayed = bench.replayed(telling(alerting={"alertmanager_url": "http://127.0.0.1/"}))

    assert why(replayed.would) == ["opened", "gave_up"]
    assert {message.to for message in messages(replayed.would)} == {("alertmanager", "webhook")}


def test_what_is_healed_sooner_is_never_told_nor_that_it_is_over() -> None:
    bench = taped(telling(backoff_seconds=60.0))
    bench.kill(UNIT)
    bench.turn([UNIT])
    bench.later(40.0)
    healed(bench)
    bench.later(100.0)

    replayed = bench.replayed(telling(verify_seconds=90.0))

    assert why(replayed.was) == ["opened", "resolved"]
    assert why(replayed.would) == []
    assert because(replayed) == {
        "opened": "start_unit would have been under way",
        "resolved": "nothing would have been told of it",
    }


def test_notes_of_what_was_healed_are_told_to_those_who_ask_for_them() -> None:
    bench = taped(telling(alerting={"alertmanager_url": "http://127.0.0.1/"}))
    bench.kill(UNIT)
    bench.turn([UNIT])
    healed(bench)
    bench.later(100.0)
    asking = {"alertmanager_url": "http://127.0.0.1/", "notify_healed": True}

    replayed = bench.replayed(telling(alerting=asking))

    assert why(replayed.was) == []
    assert [(each.why, each.to) for each in messages(replayed.would)] == [("healed", ("webhook",))]
    assert because(replayed) == {"healed": "alerting.notify_healed was false"}
    assert why(bench.replayed(telling(alerting={**asking, "webhook_url": ""})).would) == []


def message(now: float, reason: str = "opened", **more: Any) -> Told:
    deed = Deed(
        TOLD, "services", UNIT, "service_down", what=reason, text=f"{UNIT} is down", severity="high", to="email"
    )
    return Told(now, now, deed._replace(**more))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (message(5.0), True),
        (message(15.0), False),
        (message(0.0, severity="critical"), False),
        (message(0.0, to="email,slack"), True),
        (message(0.0, text=f"{UNIT} is down, and 1 more with it"), False),
    ],
)
def test_the_same_words_at_the_same_time_are_the_same_message(other: Told, same: bool) -> None:
    (both,) = exchanges(messages([message(0.0)]), messages([other]))

    assert None not in (both.was, both.would)
    assert both.same is same


def test_of_what_is_told_later_it_says_why_it_was_not_told_at_once() -> None:
    early = message(0.0)._replace(instead="silenced")

    (both,) = exchanges(messages([early]), messages([message(60.0)]))

    assert both.because == "silenced"


def test_another_reason_is_another_message() -> None:
    both = exchanges(messages([message(0.0)]), messages([message(0.0, "gave_up")]))

    assert [each.same for each in both] == [False, False]
