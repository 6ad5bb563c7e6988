"""The component `clock`: whether a time daemon keeps it right, and whether somebody set it.

A host without a time daemon has its time from elsewhere (a container has that of the machine around it): only jumps are
looked for there. The first minutes after boot are those in which clocks are set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.assess.score import status_of, worst
from healthd.errors import ReadError
from healthd.model import Assessment, Finding, IssueType, Item, Measure
from healthd.registry import CheckSpec, Ports
from healthd.soon import then

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.model import UnitFacts
    from healthd.ports import Clock
    from healthd.soon import Soon

TIMESYNCD: Final = "systemd-timesyncd.service"

DAEMONS: Final = (
    TIMESYNCD,
    *("chrony.service", "chronyd.service", "ntpsec.service", "ntp.service", "ntpd.service", "openntpd.service"),
)

UNSYNCHRONISED_SCORE: Final = 0.6
JUMPED_SCORE: Final = 0.6
FAR_SCORE: Final = 0.3

MOMENT_SECONDS: Final = 0.1
"""Within this both clocks must be read: a pause between them, as of a machine that stands still, looks like a jump."""

_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All in seconds.

    `grace` after boot a jump is none, and after its start a daemon need not have heard anything. `silence`: timesyncd
    asks every 34 minutes at the latest, and this is three times that. A leap second is a jump of one.
    """

    grace: float = 600.0
    silence: float = 3 * 2048.0
    jump: float = 1.1
    far: float = 60.0
    remembered: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Both clocks, and what keeps them right.

    `daemon`: the time daemon that runs, "" for none, and for how long. `heard_at` (Unix seconds): when timesyncd last
    heard from a server; `synchronised`: what the kernel says where another daemon runs. None: nothing is known.
    """

    at: float
    wall: float
    booted_for: float
    daemon: str = ""
    running_for: float = 0.0
    heard_at: float | None = None
    synchronised: bool | None = None

    @property
    def offset(self) -> float:
        """What changes only when the clock is set: both clocks are slewed alike."""
        return self.wall - self.at


class Jump(NamedTuple):
    """By how much the clock was set, and when (boot seconds, and by the new time)."""

    seconds: float
    at: float
    wall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the next reading is held against."""

    offset: float
    jumps: tuple[Jump, ...] = ()


def options(_settings: Settings, _name: str) -> Options:
    """Nothing is to be set."""
    return Options()


def sample(ports: Ports, _options: Options, _names: frozenset[str] | None) -> Soon[Reading]:
    """Look at the clocks, and ask after the time daemon."""
    facts = ports.units.facts()
    unit = next((facts[name] for name in DAEMONS if name in facts and facts[name].running), None)
    if unit is None:
        return _reading(ports)
    if unit.name == TIMESYNCD:
        return _reading(ports, unit, heard_at=ports.host.time_heard_at())
    return then(ports.units.clock_synchronised(), lambda said: _reading(ports, unit, synchronised=said))


def _reading(
    ports: Ports, unit: UnitFacts | None = None, *, heard_at: float | None = None, synchronised: bool | None = None
) -> Reading:
    at, wall = _moment(ports.clock)
    return Reading(
        at=at,
        wall=wall,
        booted_for=ports.host.uptime(),
        daemon=unit.name if unit else "",
        running_for=ports.clock.monotonic() - unit.active_since if unit else 0.0,
        heard_at=heard_at,
        synchronised=synchronised,
    )


def _moment(clock: Clock) -> tuple[float, float]:
    """Both clocks, at one moment. Raises `ReadError` where there is a pause between them each time."""
    for _ in range(_TRIES):
        at, wall, after = clock.boot(), clock.wall(), clock.boot()
        if after - at <= MOMENT_SECONDS:
            return at, wall
    raise ReadError("the two clocks could not be read at one moment: the machine stands still again and again")


def keep(reading: Reading, before: Kept | None, options: Options) -> Kept:
    """The clocks, and the jumps that are remembered."""
    return Kept(offset=reading.offset, jumps=_jumps(reading, before, options))


def assess(reading: Reading, before: Kept | None, options: Options) -> Assessment:
    """One item; pure."""
    jumps = _jumps(reading, before, options)
    jump = max(jumps, key=lambda each: abs(each.seconds), default=None)
    score, words = _kept_right(reading, options)
    said = [words]
    if jump is not None:
        score = min(score, FAR_SCORE if abs(jump.seconds) > options.far else JUMPED_SCORE)
        said.insert(0, _in_words(jump))
    message = "; ".join(said)
    findings = () if score == 1.0 else (Finding(type=IssueType.CLOCK_SKEW, message=message, cause="clock"),)
    since = None if reading.heard_at is None else max(0.0, reading.wall - reading.heard_at)
    measures = () if since is None else (Measure(name="since_synchronised_seconds", value=round(since)),)
    item = Item(name="", status=status_of(score), score=score, message=message, findings=findings, measures=measures)
    again = min((each.at + options.remembered for each in jumps), default=None)
    return Assessment(items=(item,), again_at=again)


def _jumps(reading: Reading, before: Kept | None, options: Options) -> tuple[Jump, ...]:
    """Those of the last minutes, the newest last."""
    if before is None or reading.booted_for < options.grace:
        return ()
    jumps = [jump for jump in before.jumps if reading.at < jump.at + options.remembered]
    moved = reading.offset - before.offset
    if abs(moved) > options.jump:
        jumps.append(Jump(moved, reading.at, reading.wall))
    return tuple(jumps[-10:])


def _kept_right(reading: Reading, options: Options) -> tuple[float, str]:
    """What its daemon makes of it: a score, and that in words."""
    if not reading.daemon:
        return 1.0, "no time daemon runs here"
    fresh = reading.running_for < options.grace
    if reading.daemon == TIMESYNCD:
        silent = reading.heard_at is None or reading.wall - reading.heard_at > options.silence
        when = "" if reading.heard_at is None else f" for {(reading.wall - reading.heard_at) / 3600:.0f} h"
        bad = f"{TIMESYNCD} has not heard from a time server{when}"
    else:
        silent = reading.synchronised is False
        bad = f"{reading.daemon} runs, and the clock is not synchronised"
    if silent and fresh and reading.heard_at is None:
        return 1.0, f"{reading.daemon} has just started"
    if silent:
        return UNSYNCHRONISED_SCORE, bad
    known = reading.heard_at is not None or reading.synchronised is not None
    return 1.0, f"synchronised by {reading.daemon}" if known else f"{reading.daemon} runs"


def _in_words(jump: Jump) -> str:
    hours, minutes, seconds = (int(jump.wall) // 3600 % 24, int(jump.wall) // 60 % 60, int(jump.wall) % 60)
    way = "forward" if jump.seconds > 0 else "back"
    return f"the clock was set {way} by {abs(jump.seconds):.0f} s, to {hours:02}:{minutes:02}:{seconds:02} UTC"


CHECK = CheckSpec(type="clock", options=options, sample=sample, assess=assess, keep=keep, score=worst)
