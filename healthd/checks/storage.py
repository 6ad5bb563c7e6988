"""The component `storage`: how full each local file system is, where that is heading, and what has turned read-only.

Remote ones are named and not touched: to ask them is to wait for another machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from healthd.assess.score import worst
from healthd.formats.size import size
from healthd.model import Assessment, Finding, IssueType, Item, Measure, Status
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.config import Settings
    from healthd.figures import Mount, Space

DEADLINE: Final = 2.0
"""Seconds: a local file system knows how full it is. One that does not say so by then hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits of used space and of used inodes, in percent."""

    warning: float
    critical: float


def options(settings: Settings, _name: str) -> Options:
    """The limits of [thresholds]."""
    limits = settings.thresholds
    return Options(warning=limits["storage_warning_percent"], critical=limits["storage_critical_percent"])


async def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> tuple[Mount, ...]:
    """Ask the kernel what is mounted, and each local file system how full it is."""
    return await ports.host.mounts(deadline=DEADLINE)


def assess(reading: tuple[Mount, ...], _before: tuple[Mount, ...] | None, options: Options) -> Assessment:
    """An item for each mount; pure."""
    return Assessment(items=tuple(_judged(mount, options) for mount in reading))


@lru_cache(maxsize=64)  # most are as they were at the look before
def _judged(mount: Mount, options: Options) -> Item:
    if mount.remote:
        return _item(mount, f"remote ({mount.type}), not looked at")
    if not mount.writable:
        return _read_only(mount)
    if mount.hangs:
        return _item(mount, f"does not answer within {DEADLINE:g} s", status=Status.UNKNOWN)
    if mount.refused:
        return _item(mount, f"not looked at: {mount.unreadable}")
    if mount.space is None:
        return _item(mount, mount.unreadable, status=Status.UNKNOWN)
    measures = tuple(_measures(mount.space, options))
    return Item(
        name=mount.name, status=Status.HEALTHY, score=1.0, message=_words(mount.space, measures), measures=measures
    )


def _read_only(mount: Mount) -> Item:
    """The kernel makes a file system read-only when it finds it broken. One that was mounted like that is well."""
    if not mount.was_writable:
        return _item(mount, "mounted read-only")
    message = f"{mount.name} has turned read-only"
    finding = Finding(type=IssueType.READ_ONLY, message=message)
    return Item(name=mount.name, status=Status.UNHEALTHY, score=0.0, message=message, findings=(finding,))


def _measures(space: Space, options: Options) -> Iterator[Measure]:
    whole = space.used + space.available
    if whole > 0:  # a tmpfs without a limit has no end
        percent, left = 100 * space.used / whole, size(space.available)
        text = f"{percent:.0f} % of its space is used (limit {_limit(percent, options):g} %), {left} left"
        yield _limited("used_percent", percent, options, IssueType.DISK_FULL, text)
        yield Measure(name="available_bytes", value=space.available)
    if space.inodes > 0:  # btrfs and vfat have as many as they need
        percent = 100 * (space.inodes - space.inodes_free) / space.inodes
        text = (
            f"{percent:.0f} % of its inodes are used (limit {_limit(percent, options):g} %), {space.inodes_free} left"
        )
        yield _limited("used_inodes_percent", percent, options, IssueType.INODES_FULL, text)


def _limit(percent: float, options: Options) -> float:
    """The limit to be named: the one that was passed."""
    return options.critical if percent > options.critical else options.warning


def _limited(name: str, percent: float, options: Options, issue: IssueType, text: str) -> Measure:
    return Measure(
        name=name,
        value=round(percent, 2),
        warning=options.warning,
        critical=options.critical,
        limit=100.0,
        issue=issue,
        text=text,
        forecast=True,
    )


def _words(space: Space, measures: tuple[Measure, ...]) -> str:
    percents = {measure.name: measure.value for measure in measures}
    words = f"{size(space.used)} used"
    if "used_percent" in percents:
        words += f" ({percents['used_percent']:.0f} %), {size(space.available)} available"
    if "used_inodes_percent" in percents:
        words += f"; {percents['used_inodes_percent']:.0f} % of inodes used"
    return words


def _item(mount: Mount, message: str, *, status: Status = Status.HEALTHY) -> Item:
    return Item(name=mount.name, status=status, score=1.0, message=message)


CHECK = CheckSpec(type="storage", options=options, sample=sample, assess=assess, score=worst, noun="mount")
