"""Packages are being installed: nothing is done meanwhile, nor until things have settled, but not for ever."""

from __future__ import annotations

import pytest

from healthd.decide.happenings import Held, UpgradeLasts
from healthd.decide.upgrade import LOOK_SECONDS, MOST_SECONDS, SAID_SECONDS, SETTLE_SECONDS
from healthd.model import HoldReason
from tests.fake_units import service
from tests.unit.builders import UNIT, killed
from tests.unit.decide.bench import Bench, the_hold

APT = "apt-get (process 58) holds dpkg's lock"


def upgrading(work: str = APT) -> Bench:
    """A host on which a unit was killed while packages were at work."""
    bench = Bench(service(UNIT), service("other.service"))
    bench.package_work = work
    bench.kill(UNIT)
    bench.turn([UNIT])
    return bench


def pass_slowly(bench: Bench, seconds: float) -> None:
    """Time passes in which healthd looks as often as it said that it would."""
    bench.later(seconds)


def test_a_unit_that_falls_during_an_upgrade_is_held_and_the_hold_says_who_is_at_work() -> None:
    bench = upgrading()

    assert the_hold(bench) is HoldReason.PACKAGE_UPGRADE
    assert APT in bench.of(Held)[0].text
    assert bench.of(Held)[0].wait is None
    assert not bench.started()


@pytest.mark.parametrize("active", ["activating", "deactivating"])
def test_the_job_of_unattended_upgrades_holds_before_it_takes_a_lock(active: str) -> None:
    bench = Bench(service(UNIT), service("apt-daily-upgrade.service", active=active, file_state="static"))
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert the_hold(bench) is HoldReason.PACKAGE_UPGRADE
    assert "apt-daily-upgrade.service" in bench.of(Held)[0].text


def test_while_it_goes_on_it_is_looked_at_every_few_seconds_and_said_once() -> None:
    bench = upgrading()
    assert bench.step.wake_at == pytest.approx(bench.stepped_at + LOOK_SECONDS)
    pass_slowly(bench, 60.0)

    assert bench.held() == [HoldReason.PACKAGE_UPGRADE]


def test_after_its_end_things_settle_and_then_what_is_still_down_is_healed() -> None:
    bench = upgrading()
    pass_slowly(bench, 30.0)
    bench.package_work = ""
    bench.turn(())
    assert not bench.started()
    bench.later(SETTLE_SECONDS - 0.1)
    assert not bench.started()
    bench.later(0.2)

    assert [attempt.unit for attempt in bench.started()] == [UNIT]


def test_what_comes_up_by_itself_afterwards_is_not_touched() -> None:
    bench = upgrading()
    bench.bring_up(UNIT)
    bench.package_work = ""
    bench.turn([UNIT])
    bench.later(60.0)

    assert not bench.started()
    assert not bench.tickets() or not any(ticket.open for ticket in bench.tickets().values())


def test_an_upgrade_in_parts_settles_after_the_last_of_them() -> None:
    bench = upgrading()
    bench.package_work = ""
    bench.later(SETTLE_SECONDS - 1.0)
    bench.package_work = APT
    bench.turn(())
    bench.package_work = ""
    bench.later(SETTLE_SECONDS - 1.0)
    assert not bench.started()
    bench.later(2.0)

    assert len(bench.started()) == 1


def test_an_order_by_hand_is_not_held() -> None:
    bench = upgrading()
    bench.order(UNIT)
    bench.turn(())

    assert [attempt.by for attempt in bench.started()] == ["alice"]


def test_an_upgrade_that_goes_on_for_long_is_said_and_holds_no_longer_than_its_limit() -> None:
    bench = upgrading()
    pass_slowly(bench, SAID_SECONDS - 10.0)
    assert not bench.of(UpgradeLasts)
    pass_slowly(bench, 20.0)
    (said,) = bench.of(UpgradeLasts)
    assert (said.over, said.text) == (False, APT)
    pass_slowly(bench, MOST_SECONDS - SAID_SECONDS)

    assert [said.over for said in bench.of(UpgradeLasts)] == [False, True]
    assert len(bench.started()) == 1


def test_a_restart_of_healthd_takes_nothing_from_the_wait() -> None:
    bench = upgrading()
    bench.package_work = ""
    bench.restart_healthd()
    bench.turn()
    assert not bench.started()
    bench.later(SETTLE_SECONDS)

    assert len(bench.started()) == 1


def test_of_an_upgrade_that_nobody_waited_for_nothing_is_left_over() -> None:
    bench = Bench(service(UNIT))
    bench.package_work = APT
    bench.turn(())
    bench.package_work = ""
    bench.later(SETTLE_SECONDS)
    assert bench.state.upgrade is None
    bench.kill(UNIT)
    bench.turn([UNIT])

    assert len(bench.started()) == 1


def test_a_unit_of_which_systemd_tells_nothing_is_nobody_at_work() -> None:
    bench = Bench(service("apt-daily-upgrade.service", active="inactive"))
    bench.units.put(killed())
    bench.turn([UNIT])

    assert len(bench.started()) == 1
