"""What the stages, checks and actions are given: Protocols that the doors (and the fakes of the tests) fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from healthd.probes import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from healthd.answers import (
        Budget,
        Diagnosis,
        Explanation,
        Family,
        Finished,
        Frame,
        HealthStatus,
        History,
        HistoryQuery,
        Note,
        Outcomes,
        OwnProcess,
        Quiet,
        Series,
        Wish,
    )
    from healthd.events import Event
    from healthd.evidence import Changes, Incident, Scene, UnitFiles
    from healthd.figures import Cpu, GroupUsage, KernelFault, Memory, Mount, Network, Pressure, Sensor, Tables, Updates
    from healthd.jobs import Silence, TimerFacts
    from healthd.letters import Outcome
    from healthd.model import ActionKind, Issue, JobResult, Severity, SystemState, UnitFacts
    from healthd.probes import Certificate, Fetched, NameServer, Resolved
    from healthd.soon import Soon


class Clock(Protocol):
    """Time, so that nothing else asks the system for it."""

    def boot(self) -> float:
        """Seconds since boot, suspend included (CLOCK_BOOTTIME). What durations are measured with."""

    def monotonic(self) -> float:
        """Seconds since boot without suspend (CLOCK_MONOTONIC): what systemd's own stamps count."""

    def wall(self) -> float:
        """Unix seconds. Only to show and to store."""

    def zone(self, name: str) -> tzinfo:
        """The time zone of this name; "" is the local one. Raises `ReadError` if there is none."""


class Host(Protocol):
    """What the kernel says about this machine. Figures raise `ReadError`, or `Absent` where there are none."""

    def boot_id(self) -> str:
        """The random id of this boot."""

    def uptime(self) -> float:
        """Seconds since the host booted."""

    def own_process(self) -> OwnProcess:
        """What healthd itself uses of it."""

    def established_connections(self) -> int:
        """TCP connections in state ESTABLISHED, IPv4 and IPv6."""

    def memory(self) -> Memory:
        """Memory and swap."""

    def cpu(self) -> Cpu:
        """What the processors have done since boot."""

    def pressure(self) -> Pressure:
        """How much of the time tasks waited."""

    def tables(self) -> Tables:
        """How full the kernel's tables are."""

    def time_heard_at(self) -> float | None:
        """When systemd-timesyncd last heard from a time server (Unix seconds); None: never since its start."""

    def network(self) -> Network:
        """Interfaces, and where the default routes lead."""

    async def sensors(self) -> tuple[Sensor, ...]:
        """Temperatures of the sensors that have limits of their own."""

    async def mounts(self, *, deadline: float) -> tuple[Mount, ...]:
        """Each file system that can fill up; one that does not answer within `deadline` seconds hangs. `ReadError`."""

    def updates(self) -> Soon[Updates]:
        """What the package manager left to be done."""

    def package_work(self) -> str:
        """Who is installing packages at this moment, in words; "" for nobody. Cheap."""

    async def changes(self, units: Sequence[UnitFiles], since: float, until: float) -> Changes:
        """What changed on the host, and of these units, between two Unix times. Raises `ReadError`."""

    def group_usage(self, path: str) -> GroupUsage:
        """What the control group at this path uses. Raises `ReadError`."""


class Units(Protocol):
    """systemd's units, heard by signals. Facts are what was last heard; nothing here polls.

    Every coroutine ends within its own deadline: with a result, or with a `BusError`.
    """

    @property
    def connected(self) -> bool:
        """Whether facts are current: connected, subscribed and reconciled, and no daemon-reload is under way."""

    def facts(self) -> Mapping[str, UnitFacts]:
        """All loaded units by their primary name (Id). A live, read-only view."""

    def system_state(self) -> SystemState:
        """The manager's state as last heard: booting, running, stopping."""

    def on_change(self, wake: Callable[[frozenset[str]], None]) -> None:
        """Have `wake` called, from the loop, with the names of the units that changed (empty: look at all).

        Changes of one burst come in one call. Called at most once for a state; repeated signals are dropped.
        """

    async def reconcile(self) -> None:
        """The full safety net: list every unit and correct what was missed."""

    async def check_failed(self) -> None:
        """The cheap safety net: ask systemd only for the failed units and correct what was missed."""

    async def catch_up(self) -> None:
        """Have heard of everything that became of any unit until now."""

    async def describe(self, names: Iterable[str]) -> None:
        """Make sure that `detail`, `result`, `code`, `exit_status` and `file_state` of these units have been read."""

    def timers(self) -> Soon[tuple[TimerFacts, ...]]:
        """The running timers, in name order. Their times may be some minutes old, never older than their state."""

    def clock_synchronised(self) -> Soon[bool | None]:
        """Whether the kernel holds its clock for synchronised, by an answer of some minutes. None: nobody can tell."""

    async def primary_name(self, name: str) -> str:
        """The name that systemd goes by for the unit of this name, which may be an alias of it."""

    async def control_group(self, name: str) -> str:
        """The path of the unit's control group; "" if it has none now."""

    async def stopped_on_purpose(self, name: str) -> bool | None:
        """Whether the journal of this boot says that the unit last went down by a stop job. None: it cannot tell."""

    async def scene(self, name: str, invocation: str) -> Scene | None:
        """What the journal has of this run: its last lines and its core dump. None: it cannot tell."""

    async def unit_files(self, name: str) -> UnitFiles:
        """The files that a loaded unit is made of."""

    def kernel_faults(self) -> Soon[tuple[KernelFault, ...]]:
        """What the kernel complained of within the last hour, by the journal. `Absent` where none can be read."""

    async def restarted_with(self, name: str) -> tuple[str, ...]:
        """The active units that a restart of this one would restart too, in name order."""

    async def start(self, name: str, *, deadline: float) -> JobResult:
        """StartUnit and its job's result, awaited for at most `deadline` seconds."""

    async def restart(self, name: str, *, deadline: float) -> JobResult:
        """RestartUnit, likewise."""

    async def reload(self, name: str, *, deadline: float) -> JobResult:
        """ReloadUnit, likewise."""

    async def reset_failed(self, name: str, *, deadline: float) -> JobResult:
        """ResetFailedUnit; "done" when systemd answered."""


class Net(Protocol):
    """The network, to be asked. Nothing is sent but what a probe is made of.

    Every coroutine ends within `deadline` seconds: with an answer, with `NoAnswer` where whoever was asked is to blame,
    with `ReadError` where this host cannot ask. None leaves a descriptor open.
    """

    async def fetch(
        self,
        url: str,
        *,
        deadline: float,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        follow: bool = True,
        verify: bool = True,
        limit: int = BODY_LIMIT,
    ) -> Fetched:
        """Make an HTTP request. Of the body `limit` bytes are read; `verify`: refuse what is not to be trusted."""

    async def talk(self, address: str, *, send: bytes, expect: bytes, deadline: float) -> None:
        """Connect to "HOST:PORT", or to the Unix socket at a path; send, and wait for what is expected."""

    async def resolve(self, name: str, record: str, *, server: str, deadline: float) -> Resolved:
        """Ask a name server ("": those of this host, in turn) for the records of a name."""

    def name_servers(self, *, deadline: float, local: bool) -> Soon[tuple[NameServer, ...]]:
        """Whether the name servers of this host answer at all; those that it names, so there may be none.

        An answer stands for some time. `local`: ask only those on this host, since there is no way to another.
        """

    async def shown_certificate(self, address: str, *, deadline: float) -> Certificate:
        """The certificate that a TLS server shows, whether it is to be trusted or not."""

    async def kept_certificates(self, path: str, *, deadline: float) -> Mapping[str, tuple[Certificate, ...]]:
        """The certificates in a file of PEM, or in each such file of a directory, by path; at least one."""


class Beats(Protocol):
    """The heartbeats of the components that wait for some."""

    async def expect(self, every: Mapping[str, float]) -> None:
        """Jobs of these names report in this often (seconds), and no others."""

    async def beat(self, name: str) -> None:
        """An expected job reports in."""

    def silence(self, name: str) -> Silence:
        """For how long nothing was heard of an expected job; `ReadError` if nobody expects it."""


class Outputs(Protocol):
    """What the programs of `exec` checks, or those of chores, printed."""

    def read(self, name: str) -> str:
        """The beginning of what the program of this component or unit printed in its last run. Raises `ReadError`."""


class Log(Protocol):
    """Where events go: the journal, a terminal, or lines of JSON."""

    def event(self, event: Event, message: str, *, severity: Severity | None = None, **fields: object) -> None:
        """Record an event. `severity` None: all is well. `fields` become HEALTHD_<NAME>; None is left out.

        Never blocks and never raises: what cannot be kept is counted and said afterwards.
        """

    def debug(self, message: str, **fields: object) -> None:
        """A line for developers, without an event."""

    def exception(self, event: Event, message: str, error: BaseException, **fields: object) -> None:
        """An event with the traceback of `error`: a bug, or one of the three borders."""


class Store(Protocol):
    """What survives: the engine's state, and the history. Coroutines raise `StorageError` and nothing else."""

    async def load(self) -> Mapping[str, Any] | None:
        """The saved engine state as plain data by key; None on a host where healthd has never run."""

    async def save(self, changed: Mapping[str, Any], removed: Sequence[str]) -> None:
        """Write these entries and forget those, as one transaction.

        On return a crash of the process loses nothing; a power cut loses at most the last second.
        """

    def remember(self, at: float, values: Mapping[Series, float]) -> None:
        """Keep what was read at this time (Unix seconds). Cheap, and never raises.

        It is written within a minute or two, not now. What finds no room, or is no finite number, is dropped.
        """

    def note(self, happening: Note) -> None:
        """Keep what happened, likewise."""

    def tape(self, frame: Frame) -> None:
        """Keep what the engine was given in a step, likewise."""

    def file(self, incident: Incident) -> None:
        """Keep this as what is known of an incident but for its events, likewise, within a second or two."""

    async def incidents(self, *, since: float, most: int) -> Sequence[Incident]:
        """The newest that began since then (Unix seconds), or go on; the newest first, without their events.

        Where that were more than `most`, those that go on are there before all others.
        """

    async def incident(self, number: int) -> Incident | None:
        """The incident of this number (0: the newest), with its events. None: there is none."""

    async def flush(self) -> None:
        """Write what is remembered and noted."""

    async def history(self, query: HistoryQuery) -> History:
        """What was, also what is not written yet. Without any history: no series."""

    async def recent(self, since: float) -> Mapping[Series, Sequence[tuple[float, float]]]:
        """Every series since then (Unix seconds, at most some hours ago) as `(at, value)`, oldest first.

        At most some hundred values a series, those of some seconds taken together where there are more.
        """

    async def close(self) -> None:
        """Write, sync and close."""


class Outbox(Protocol):
    """Where letters lie until the delivery process has taken them."""

    async def put(self, letters: Mapping[str, bytes]) -> None:
        """Have these files there, by name, as a whole and for good. Raises `StorageError`."""


class Control(Protocol):
    """What the API may ask of the daemon. `by` is who asks, as they claim."""

    def revision(self) -> int:
        """A number that is another one when something may have changed that `status` tells."""

    async def changed(self, revision: int) -> None:
        """Return as soon as the revision is another one than this."""

    def status(self) -> HealthStatus:
        """The host as it stands."""

    def issues(self) -> tuple[Issue, ...]:
        """Open issues, worst first."""

    def budget(self) -> Budget:
        """The host-wide budget."""

    def config(self) -> Mapping[str, Any]:
        """The settings in force as the tables of the configuration, secrets as `***`."""

    async def explain(self, name: str) -> Explanation:
        """Why a component, item or unit stands as it does, and what healing would do. 404 `RequestError` if unknown."""

    async def history(self, query: HistoryQuery) -> History:
        """What was. 404 `RequestError` for a component of which nobody knows anything."""

    async def incidents(self, *, since: float, most: int) -> Sequence[Incident]:
        """The newest incidents since then (Unix seconds), the newest first, without their events."""

    async def incident(self, number: int) -> Incident:
        """The incident of this number (0: the newest), with its events; 404 `RequestError` if there is none."""

    async def heal(self, name: str, action: ActionKind | None, *, dry_run: bool, by: str) -> Finished:
        """Heal by hand, through the same decision; waits until the outcome is known."""

    async def check(self, name: str | None, *, by: str) -> HealthStatus:
        """Run one check, or all, now, and say how things stand then."""

    async def reset(self, name: str, *, by: str) -> tuple[str, ...]:
        """Forget attempts, backoff and `gave_up` of a component, item or unit; returns the issues that were reset."""

    def silences(self) -> tuple[Quiet, ...]:
        """The silences that are set, in the order in which they were."""

    def ledger(self) -> tuple[Outcomes, ...]:
        """How often which action helped, those first that are only suggested."""

    async def silence(self, wish: Wish) -> Quiet:
        """Silence something for a while. `RequestError` for a wish that makes no sense, or that cannot be."""

    async def resume(self, name: str | None, *, everything: bool, by: str) -> tuple[Quiet, ...]:
        """End silences by their id or name, or all; None: the only one. Returns those that ended, at least one."""

    async def try_receivers(self, name: str | None, *, by: str) -> Mapping[str, Outcome]:
        """Send a test to a receiver, None: to all, and tell what they answered, by name; 404, 409 `RequestError`."""

    async def reload(self, *, by: str) -> tuple[str, ...]:
        """Have systemd reload healthd.service and wait; `RequestError` with every problem if it was rejected.

        Returns what should be looked at in the configuration, though it is in force.
        """

    async def apply_configuration(self) -> None:
        """What ExecReload asks for: read the configuration again; `ConfigError` if it is refused."""

    async def heartbeat(self, name: str, *, by: str) -> None:
        """A job reports in; 404 `RequestError` if no component of type heartbeat has this name."""

    def families(self) -> Iterable[Family]:
        """Every family of metrics, as it stands."""

    async def diagnose(self) -> tuple[Diagnosis, ...]:
        """Try each thing that the daemon needs, from inside its own sandbox."""
