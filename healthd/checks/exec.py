"""Components of type `exec`: a program with a monitoring plugin's exit codes, run by systemd in a unit of its own.

The daemon starts no process: it starts `healthd-check@NAME.service`, whose user, command and time limit stand in a
drop-in that is written from the configuration at each start and reload.
"""

from __future__ import annotations

from dataclasses import dataclass
from signal import SIGXFSZ
from typing import TYPE_CHECKING, Final

from healthd.assess.probe import failed
from healthd.assess.score import status_of, worst
from healthd.decide.failure import in_words
from healthd.errors import NoAnswer, ReadError
from healthd.formats.plugin import parse
from healthd.model import Assessment, Item, Measure
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.model import JobResult, UnitFacts

WARNING_SCORE: Final = 0.6

UNKNOWN: Final = 3
"""The highest exit code that a plugin has."""

_PATIENCE: Final = 0.8
"""Seconds beyond its time limit for which the end of a program that systemd stops is waited for."""

_EXITED, _KILLED, _DUMPED = 1, 2, 3  # CLD_* of waitid(2), as in ExecMainCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Whose program it is, and its time limit in seconds."""

    name: str
    timeout: float

    @property
    def unit(self) -> str:
        """The unit that runs it."""
        return f"healthd-check@{self.name}.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the program ended: its exit code and what it printed. `code` None: it did not end in time."""

    code: int | None
    output: str = ""


def options(settings: Settings, name: str) -> Options:
    """The name and the time limit of the component."""
    component = settings.component.get(name)
    return Options(name=name, timeout=component.timeout_seconds if component is not None else 0.0)


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Have systemd run the program, and see how it ended and what it printed."""
    job = await ports.units.start(options.unit, deadline=options.timeout + _PATIENCE)
    code = _exit_code(job, options)
    return Reading(code=code, output="" if code is None else ports.outputs.read(options.name))


def _exit_code(job: JobResult, options: Options) -> int | None:
    """The program's own exit code. Raises `ReadError` where it came to none, or to none that plugins have."""
    ended = job.unit
    if job.result == "timeout" or (ended is not None and ended.result == "timeout"):
        return None
    if job.result not in ("done", "failed"):
        raise ReadError(f"systemd did not run {options.unit}: {job.text or job.result}")
    if ended is None or ended.code not in (_EXITED, _KILLED, _DUMPED):
        raise ReadError(f"systemd did not say how {options.unit} ended")
    if ended.code == _EXITED and ended.exit_status <= UNKNOWN and ended.result == "success":
        return ended.exit_status
    raise ReadError(f"its program is broken: {_broken(ended)}")


def _broken(ended: UnitFacts) -> str:
    if ended.code != _EXITED and ended.exit_status == SIGXFSZ:
        return "it was stopped, because it printed more than 256 KiB"
    return in_words(ended)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item: OK is healthy, WARNING degraded, CRITICAL a failed probe, UNKNOWN no reading."""
    if reading.code is None:
        return failed(NoAnswer("timeout", f"no answer within {options.timeout:g} s"))
    printed = parse(reading.output)
    measures = tuple(Measure(name=name, value=value) for name, value in printed.numbers)
    line = printed.line or "it printed nothing"
    match reading.code:
        case 0:
            return _whole(1.0, line, measures)
        case 1:
            return _whole(WARNING_SCORE, line, measures)
        case 2:
            return failed(NoAnswer("critical", line), *measures)
        case _:
            return Assessment(usable=False, reason=line)


def _whole(score: float, line: str, measures: tuple[Measure, ...]) -> Assessment:
    return Assessment(items=(Item(name="", status=status_of(score), score=score, message=line, measures=measures),))


CHECK = CheckSpec(
    type="exec", options=options, sample=sample, assess=assess, score=worst, asks_unit=True, keeps_time=True
)
