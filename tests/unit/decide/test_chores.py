"""Issues of the host itself, and ladders that run an operator's own unit: what is done, on what, and what holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import UnitSettings
from healthd.decide import engine
from healthd.decide.case import Case
from healthd.decide.happenings import Ended, Happening, Held, News, Order, Resolved, Started, Unsupported
from healthd.decide.policy import rule
from healthd.decide.state import EngineState, Key
from healthd.model import ActionKind, HoldReason, IssueType, JobResult
from tests.fake_units import service
from tests.unit.builders import UNIT, finding, item, killed, moment, settings, ticket

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.case import Verdict
    from healthd.model import Item

FULL = Key("storage", "/", IssueType.DISK_FULL)
OTHER = Key("storage", "/var", IssueType.DISK_FULL)
CLEANUP = "healthd-disk-cleanup.service"


def disk(name: str = "/", *, full: bool = True) -> Item:
    found = [finding(IssueType.DISK_FULL, unit=None, message="96 % of its space is used")] if full else []
    return item(*found, name=name, unit=None)


class Disks:
    """A host with two disks, and the engine that looks at them."""

    def __init__(self, configuration: Settings | None = None) -> None:
        self.settings = configuration or settings()
        self.state = EngineState(seed=1, fresh=False, tickets={})
        self.now = 1000.0
        self.full = {"/": True, "/var": False}
        self.happened: list[Happening] = []

    def turn(self, *results: tuple[Key, JobResult], orders: tuple[Order, ...] = (), **changes: Any) -> list[Happening]:
        names = {("storage", name): disk(name, full=full) for name, full in self.full.items()}
        now = moment(self.now, **{"items": (), **changes})
        now = replace(now, items=names, usable=frozenset({"storage"}))
        news = News(items=tuple(names), results=tuple((str(key), result) for key, result in results), orders=orders)
        step = engine.step(self.settings, self.state, now, news)
        self.state = step.state
        self.happened += step.happenings
        return list(step.happenings)

    def later(self, seconds: float, *results: tuple[Key, JobResult]) -> list[Happening]:
        self.now += seconds
        return self.turn(*results)

    def of(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.happened if isinstance(each, kind)]


def verdict(type_: IssueType, action: ActionKind | None = None, /, *, by_hand: bool = False, **auto: Any) -> Verdict:
    """What the rule says of an issue of the host."""
    key = Key("host", "", type_)
    bad = item(finding(type_, unit=None), name="", unit=None)
    now = replace(moment(), items={key.name: bad})
    return rule(
        Case(
            settings=settings(**auto),
            state=EngineState(seed=1, tickets={}),
            moment=now,
            ticket=ticket(key, unit=None),
            by_hand=by_hand,
        ),
        action,
    )


@pytest.mark.parametrize(
    ("type_", "switch", "action", "unit"),
    [
        (IssueType.HIGH_MEMORY, "memory_cleanup_enabled", ActionKind.MEMORY_CLEANUP, "healthd-memory-cleanup.service"),
        (IssueType.DISK_FULL, "disk_cleanup_enabled", ActionKind.DISK_CLEANUP, CLEANUP),
        (IssueType.INODES_FULL, "disk_cleanup_enabled", ActionKind.DISK_CLEANUP, CLEANUP),
        (
            IssueType.NETWORK_ERROR,
            "network_restart_enabled",
            ActionKind.NETWORK_RESTART,
            "healthd-network-restart.service",
        ),
    ],
)
def test_an_issue_of_the_host_has_a_chore_that_has_a_switch(
    type_: IssueType, switch: str, action: ActionKind, unit: str
) -> None:
    on, off = (verdict(type_, by_hand=False, **{switch: value}) for value in (True, False))

    assert (on.action, on.unit, on.hold) == (action, unit, None)
    assert (off.action, off.hold, off.text) == (None, HoldReason.DISABLED, f"auto_healing.{switch} is false")


def test_only_the_disk_is_cleaned_up_where_nothing_is_configured() -> None:
    assert verdict(IssueType.DISK_FULL).action is ActionKind.DISK_CLEANUP
    assert verdict(IssueType.HIGH_MEMORY).hold is HoldReason.DISABLED
    assert verdict(IssueType.NETWORK_ERROR).hold is HoldReason.DISABLED


def test_an_order_overrules_the_switch_of_a_chore() -> None:
    assert verdict(IssueType.NETWORK_ERROR, by_hand=True).action is ActionKind.NETWORK_RESTART


def test_chores_do_not_hang_on_the_switch_for_units() -> None:
    assert verdict(IssueType.DISK_FULL, service_restart_enabled=False).action is ActionKind.DISK_CLEANUP


def test_the_master_switch_and_the_dry_run_hold_for_chores_too() -> None:
    dry = verdict(IssueType.DISK_FULL, dry_run=True)
    off = Disks(settings(health={"auto_healing_enabled": False}))

    assert (dry.hold, dry.action) == (HoldReason.DRY_RUN, ActionKind.DISK_CLEANUP)
    assert [type(each) for each in off.turn()][1:] == [Held]


def test_while_systemd_cannot_be_asked_there_is_nobody_to_do_a_chore() -> None:
    disks = Disks()

    disks.turn(current=False)

    assert [held.reason for held in disks.of(Held)] == [HoldReason.UNKNOWN_STATUS]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (ActionKind.RESTART_UNIT, "acts on a unit, and this issue is about none"),
        (ActionKind.RUN_UNIT, "acts on a unit, and this issue is about none"),
        (ActionKind.MEMORY_CLEANUP, "is no remedy for an issue of this kind"),
    ],
)
def test_an_order_of_what_does_not_fit_says_so(action: ActionKind, text: str) -> None:
    found = verdict(IssueType.DISK_FULL, action, by_hand=True)

    assert (found.action, found.hold, found.text) == (None, None, f"{action} {text}")


def test_an_issue_of_the_host_that_no_chore_mends_has_no_remedy() -> None:
    assert verdict(IssueType.READ_ONLY).text == "healthd knows no remedy for this"


def test_a_chore_that_helped_is_told_with_what_it_won_and_what_the_check_sees_now() -> None:
    disks = Disks()
    disks.turn()
    disks.full["/"] = False
    disks.later(1.0, (FULL, JobResult(result="done", text="40 MiB won")))
    disks.later(1.0)

    (ended,) = disks.of(Ended)
    assert (ended.outcome, ended.text, ended.attempt.unit) == ("success", "40 MiB won; running", CLEANUP)
    assert [type(each) for each in disks.happened[-2:]] == [Ended, Resolved]


def test_a_chore_that_won_too_little_has_failed_and_is_tried_again_after_a_pause() -> None:
    disks = Disks()
    disks.turn()
    disks.later(1.0, (FULL, JobResult(result="done", text="1 MiB won")))
    disks.later(31.0)

    (ended,) = disks.of(Ended)
    assert ended.outcome == "failed"
    assert ended.text == "1 MiB won; recovery was not confirmed in time: 96 % of its space is used"
    assert [held.reason for held in disks.of(Held)] == [HoldReason.COOLDOWN]
    disks.later(12.0)
    assert [started.attempt.number for started in disks.of(Started)] == [1, 2]


@pytest.mark.parametrize("result", ["failed", "timeout", "lost", "interrupted"])
def test_a_chore_whose_job_did_not_end_well_has_failed_at_once(result: str) -> None:
    disks = Disks()
    disks.turn()
    disks.turn((FULL, JobResult(result=result)))

    assert [ended.outcome for ended in disks.of(Ended)] == ["failed"]


def test_a_chore_that_found_nothing_to_do_is_not_tried_again_for_long_and_raises_no_alarm() -> None:
    disks = Disks()
    disks.turn()
    disks.later(1.0, (FULL, JobResult(result="not_supported", text="nothing lies there")))
    for _ in range(50):
        disks.later(60.0)

    assert [(ended.outcome, ended.text) for ended in disks.of(Ended)] == [("not_supported", "nothing lies there")]
    assert len(disks.of(Started)) == 1
    assert disks.of(Unsupported) == []
    assert disks.state.tickets[FULL].attempts == 0
    assert not disks.state.tickets[FULL].gave_up
    disks.later(1000.0)
    assert len(disks.of(Started)) == 2


def test_without_slow_retries_what_found_nothing_to_do_waits_for_an_order_or_a_reset() -> None:
    disks = Disks(settings(retry_after_give_up_seconds=0.0))
    disks.turn()
    disks.turn((FULL, JobResult(result="not_supported", text="nothing lies there")))
    disks.later(1e6)
    assert len(disks.of(Started)) == 1

    disks.turn(orders=(Order(component="storage", item="/", action=None, by="alice"),))
    assert len(disks.of(Started)) == 2
    disks.turn((FULL, JobResult(result="not_supported", text="nothing lies there")))
    disks.state = engine.reset(disks.state, [FULL])
    disks.turn()
    assert len(disks.of(Started)) == 3


def test_what_found_nothing_to_do_is_remembered_while_the_issue_comes_and_goes() -> None:
    disks = Disks()
    disks.turn()
    disks.turn((FULL, JobResult(result="not_supported", text="nothing lies there")))
    for full in (False, True):
        disks.full["/"] = full
        disks.later(2.0)
        disks.later(2.0)

    assert len(disks.of(Resolved)) == 1
    assert len(disks.of(Started)) == 1


def test_two_full_disks_share_one_chore_which_runs_once_at_a_time() -> None:
    disks = Disks()
    disks.full["/var"] = True
    disks.turn()

    assert len(disks.of(Started)) == 1
    assert [(held.ticket.key, held.reason) for held in disks.of(Held)] == [(OTHER, HoldReason.JOB_RUNNING)]

    disks.full["/"] = False
    disks.later(1.0, (FULL, JobResult(result="done", text="40 MiB won")))
    disks.later(1.0)
    assert [started.ticket.key for started in disks.of(Started)] == [FULL, OTHER]


def test_the_actions_of_a_chore_are_counted_together_for_all_disks() -> None:
    disks = Disks(settings(backoff_seconds=0.0))
    disks.full["/var"] = True
    for _ in range(6):
        disks.turn()
        running = [key for key, each in disks.state.tickets.items() if each.attempt is not None]
        disks.later(1.0, *((key, JobResult(result="failed")) for key in running))

    assert len(disks.of(Started)) == 3
    assert HoldReason.UNIT_BUDGET in [held.reason for held in disks.of(Held)]
    assert f"{CLEANUP} had its 3 actions" in " ".join(held.text for held in disks.of(Held))


def test_a_reset_gives_a_chore_its_budget_back() -> None:
    disks = Disks(settings(backoff_seconds=0.0))
    for _ in range(3):
        disks.turn()
        disks.later(1.0, (FULL, JobResult(result="failed")))
    disks.state = engine.reset(disks.state, [FULL])
    disks.turn()

    assert len(disks.of(Started)) == 4


def test_a_disk_that_is_unmounted_while_it_is_cleaned_was_not_healed() -> None:
    disks = Disks()
    disks.turn()
    del disks.full["/"]
    disks.turn()
    disks.turn((FULL, JobResult(result="done", text="40 MiB won")))

    assert [(ended.outcome, ended.text) for ended in disks.of(Ended)] == [
        ("failed", "40 MiB won; what the issue was about is gone")
    ]


# run_unit


LADDER = ("reload_unit", "run_unit:web-repair.service", "run_unit:web-rebuild.service")


def on_the_ladder(
    attempts: int, action: ActionKind | None = None, ladder: tuple[str, ...] = LADDER, *, running: bool = False
) -> Verdict:
    facts = service(UNIT) if running else killed()
    now = moment(units=[facts], items=[item(finding())])
    case = Case(
        settings=settings(units={UNIT: UnitSettings(actions=ladder)}),
        state=EngineState(seed=1, tickets={}),
        moment=now,
        ticket=ticket(attempts=attempts),
        by_hand=action is not None,
    )
    return rule(case, action)


@pytest.mark.parametrize(("attempts", "runs"), [(1, "web-repair.service"), (2, "web-rebuild.service")])
def test_a_rung_runs_the_unit_that_it_names_for_the_unit_that_is_down(attempts: int, runs: str) -> None:
    found = on_the_ladder(attempts)

    assert (found.action, found.unit, found.runs) == (ActionKind.RUN_UNIT, UNIT, runs)


def test_other_rungs_run_nothing_else() -> None:
    found = on_the_ladder(0)

    assert (found.action, found.unit, found.runs) == (ActionKind.START_UNIT, UNIT, "")


def test_an_order_to_run_a_unit_takes_the_first_that_the_ladder_names() -> None:
    assert on_the_ladder(0, ActionKind.RUN_UNIT).runs == "web-repair.service"


@pytest.mark.parametrize("ladder", [(), ("restart_unit",)])
def test_an_order_to_run_a_unit_where_none_is_named_says_so(ladder: tuple[str, ...]) -> None:
    found = on_the_ladder(0, ActionKind.RUN_UNIT, ladder)

    assert (found.action, found.text) == (None, "the unit's `actions` name no run_unit:NAME.service")


def test_the_last_rung_repeats() -> None:
    assert on_the_ladder(99).runs == "web-rebuild.service"
