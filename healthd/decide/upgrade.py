"""Packages that are being installed: healthd keeps out of the way, lets things settle, looks again, and only then acts.

What is at work is a fact of the moment (`Moment.package_work`, and systemd's own job of upgrades). The state remembers
since when it goes on and when it was last seen, so that a restart of healthd does not cut a wait short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.decide.case import Verdict
from healthd.decide.happenings import UpgradeLasts
from healthd.decide.state import Upgrade
from healthd.model import HoldReason

if TYPE_CHECKING:
    from healthd.decide.case import Case, Moment
    from healthd.decide.turn import Turn

LOOK_SECONDS: Final = 3.0
"""While packages are at work, and something waits for their end, it is looked at this often."""

SETTLE_SECONDS: Final = 5.0
"""So long after they were last seen at work nothing is done: what they restarted comes up meanwhile."""

SAID_SECONDS: Final = 600.0
"""Work that goes on for longer than this is said once, loudly: maybe it waits for an answer that nobody gives."""

MOST_SECONDS: Final = 3600.0
"""Work that goes on for longer than this holds nothing any more."""

_UNITS: Final = ("apt-daily-upgrade.service", "packagekit-offline-update.service", "dnf-automatic-install.service")
_AT_WORK: Final = frozenset({"activating", "active", "reloading", "deactivating"})


def package_work(moment: Moment) -> str:
    """What is installing packages at this moment, in words; "" for nothing."""
    if moment.package_work:
        return moment.package_work
    facts = (moment.facts.get(name) for name in _UNITS)
    return next((f"{unit.name} is at work" for unit in facts if unit is not None and unit.active in _AT_WORK), "")


def present(before: Upgrade | None, moment: Moment) -> Upgrade | None:
    """The upgrade that is under way or has just ended; None: there is none, or it has settled."""
    recent = before if before is not None and moment.now < before.seen + SETTLE_SECONDS else None
    work = package_work(moment)
    if not work:
        return recent
    if recent is None:
        return Upgrade(since=moment.now, seen=moment.now, work=work)
    return recent._replace(seen=moment.now, work=work)


def follow(turn: Turn) -> None:
    """Take note of packages at work. What goes on for long is said, and once more when it holds nothing any more."""
    upgrade = present(turn.state.upgrade, turn.moment)
    if upgrade is not None and package_work(turn.moment):
        lasted = turn.moment.now - upgrade.since
        due = sum(lasted >= limit for limit in (SAID_SECONDS, MOST_SECONDS))
        if due > upgrade.said:
            upgrade = upgrade._replace(said=due)
            turn.happened.append(UpgradeLasts(text=upgrade.work, lasted=lasted, over=lasted >= MOST_SECONDS))
    turn.upgrade = upgrade


def upgrading(case: Case) -> Verdict | None:
    """Hold while packages are at work, and until things have settled. An operator's order is not held."""
    upgrade, now = present(case.state.upgrade, case.moment), case.moment.now
    if upgrade is None or case.by_hand or now >= upgrade.since + MOST_SECONDS:
        return None
    if package_work(case.moment):
        text = f"packages are being installed or upgraded: {upgrade.work}"
        return Verdict(hold=HoldReason.PACKAGE_UPGRADE, text=text, again=now + LOOK_SECONDS)
    text = "packages were installed or upgraded until a moment ago; what they restarted may be coming up"
    return Verdict(hold=HoldReason.PACKAGE_UPGRADE, text=text, until=upgrade.seen + SETTLE_SECONDS)
