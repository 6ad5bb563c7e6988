"""The component `updates`: whether the host waits for a reboot, and whether dpkg left packages half-way.

A reboot that is due is nothing to wake anybody for: it is said, at the mildest score that is not well, and is no issue.
Packages that are not whole are one, once dpkg is through: while it works, some always are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.score import status_of, worst
from healthd.model import Assessment, Finding, IssueType, Item
from healthd.registry import CheckSpec, Ports
from healthd.soon import then

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.figures import Updates
    from healthd.soon import Soon

REBOOT_SCORE: Final = 0.79
NOT_WHOLE_SCORE: Final = 0.6

_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """For `quiet_seconds` after dpkg last wrote anything down, it may be at work still."""

    quiet_seconds: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is left to be done. `at` in boot seconds; `quiet_for`: seconds since dpkg last wrote anything down."""

    at: float
    quiet_for: float
    updates: Updates


def options(_settings: Settings, _name: str) -> Options:
    """Nothing is to be set."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Soon[Reading]:
    """Look at what the package manager keeps."""

    def reading(updates: Updates) -> Reading:
        return Reading(at=ports.clock.boot(), quiet_for=ports.clock.wall() - updates.changed_at, updates=updates)

    return then(ports.host.updates(), reading)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item; pure."""
    updates, said, findings, again = reading.updates, [], [], None
    score = 1.0
    if updates.not_whole and reading.quiet_for < options.quiet_seconds:
        # A clock that was set back makes dpkg's last word one of the future: it is not waited for longer than this.
        again = reading.at + min(options.quiet_seconds - reading.quiet_for, options.quiet_seconds)
        minutes = options.quiet_seconds / 60
        said.append(f"dpkg has worked within the last {minutes:.0f} min; not whole yet: {_few(updates.not_whole)}")
    elif updates.not_whole:
        score = NOT_WHOLE_SCORE
        count = len(updates.not_whole)
        text = f"{count} package{'s are' if count > 1 else ' is'} not whole: {_few(updates.not_whole)}"
        text += " (dpkg --configure -a may help)"
        findings.append(Finding(type=IssueType.JOB_FAILED, message=text, cause="package"))
        said.append(text)
    if updates.reboot_required:
        score = min(score, REBOOT_SCORE)
        why = f", for {_few(updates.reboot_for)}" if updates.reboot_for else ""
        said.append(f"a reboot is required{why}")
    message = "; ".join(said) or "no reboot is required, all packages are whole"
    item = Item(name="", status=status_of(score), score=score, message=message, findings=tuple(findings))
    return Assessment(items=(item,), again_at=again)


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


CHECK = CheckSpec(type="updates", options=options, sample=sample, assess=assess, score=worst)
