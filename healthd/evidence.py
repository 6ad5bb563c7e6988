"""What is kept of an incident: how it came, what was seen of it, what had changed before. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.answers import Note
    from healthd.model import Severity


class ChangeKind(StrEnum):
    """What changed on the host."""

    UNIT_FILE = "unit_file"
    CONFIGURATION = "configuration"
    PROGRAM = "program"
    PACKAGE = "package"
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was changed: `what` is a path or a package, `text` how, as it follows on `what` in a sentence.

    `own`: it concerns a unit of the incident itself, and not only its host.
    """

    at: float
    kind: ChangeKind
    what: str
    text: str
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed, the newest first, and what could not be looked at, in sentences."""

    found: tuple[Change, ...] = ()
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitFiles:
    """The paths that make a unit what it is.

    `fragment` is its unit file, "" without one; `programs` are what it runs and the files that its command line names,
    `environment` the files that its environment comes from. `stale`: systemd has not read the newest of its unit files.
    """

    name: str
    fragment: str = ""
    drop_ins: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the journal; `source` is the program that wrote it."""

    at: float
    source: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreDump:
    """What systemd-coredump kept of a process: `file` is "" where the core itself was not kept."""

    at: float
    pid: int
    signal: str
    program: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What the journal has of a unit's run: its last lines, oldest first, and its core dump."""

    lines: tuple[Line, ...] = ()
    core: CoreDump | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a unit that failed, or that healing ended.

    `text` is the failure in words; `result`, `code` and `exit_status` are systemd's, as in `UnitFacts`. `memory`
    (bytes) and `tasks` are what it used just before an action ended it, None where it had ended by itself.
    """

    unit: str
    invocation: str
    at: float
    text: str
    result: str = ""
    code: int = 0
    exit_status: int = 0
    memory: int | None = None
    tasks: int | None = None
    lines: tuple[Line, ...] = ()
    core: CoreDump | None = None

    @property
    def spoke(self) -> bool:
        """Whether it left words of its own, and not only systemd's about it."""
        return any(line.source != "systemd" for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """How host and component stood when the incident began. Memory in bytes, `pressure` in percent of the last 10 s.

    `values` are the numbers of the item, or of its component, by name; `seconds_to_critical` is the soonest of those
    that run towards their limit. `beside` are the other issues that were open then, in words.
    """

    memory_total: int | None = None
    memory_available: int | None = None
    load: float | None = None
    pressure: Mapping[str, float]
    score: float | None = None
    trend: str = ""
    values: Mapping[str, float]
    seconds_to_critical: float | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Everything from a first sign to the verified recovery.

    `ended_at` None: it goes on. `result` says how it ended, or how it stands. `part_of`: the incident that it turned
    out to be a part of; `follows`: the one of the same issue that ended shortly before; 0: none. `changes` are the
    newest first, those of its own units before all others; `looked`: it was looked for them. `missed` says what could
    not be looked at. `events` are told oldest first, and only where one incident is asked for.
    """

    id: int
    opened_at: float
    ended_at: float | None
    severity: Severity
    title: str
    result: str
    issues: tuple[str, ...]
    units: tuple[str, ...]
    attempts: int = 0
    gave_up: bool = False
    part_of: int = 0
    follows: int = 0
    surroundings: Surroundings | None = None
    runs: tuple[Run, ...] = ()
    changes: tuple[Change, ...] = ()
    looked: bool = False
    missed: tuple[str, ...] = ()
    events: tuple[Note, ...] = ()
