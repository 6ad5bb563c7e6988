"""What is known of every loaded unit: a ledger that merges what systemd says into `UnitFacts`. No bus, no clock.

**Who stopped it.** Signals do not carry the type of a job, so the ledger looks at what happens under one. A unit that
goes down while a job is on it, that was not brought up by this very job, and whose job then ends with "done", was
stopped on purpose: by hand, with what it is a part of, by a shutdown. Unless it began to go down while a unit that it
binds to had failed: then systemd stopped it for that one. A restart takes the unit up again under the same job; one
whose second half fails ends with another word than "done"; a unit that fails has no job at that moment. A stop of a
unit that was down before changes nothing but the reason for that: its job ends with "done" and leaves the unit down.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from healthd.model import UnitFacts
from healthd.systemd.names import UNKNOWN_NUMBER
from healthd.systemd.unitfiles import TOLD_BY_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.detail import UnitDetail

    # A unit as ListUnits gives it: name, description, load, active and sub state, the unit it follows, its path, and
    # the id, type and path of its job.
    Row = tuple[str, str, str, str, str, str, str, int, str, str]

AUTO_RESTARTS_KEPT: Final = 10

_EXITED: Final = 1  # ExecMainCode
_DOWN: Final = frozenset({"inactive", "failed"})
_FALLING: Final = frozenset({"inactive", "failed", "deactivating", "maintenance"})
_AUTO_RESTART: Final = frozenset({"auto-restart", "auto-restart-queued"})

# What is worth a wake-up; the rest (exit status, instants) changes only together with one of these.
_TELLING: Final = frozenset(
    {
        "load",
        "active",
        "sub",
        "job",
        "result",
        "invocation",
        "file_state",
        "stopped_by_job",
        "stopped_for",
        "lowered",
        "dependency_failed",
    }
)
_STATE: Final = frozenset({"active", "sub", "job"})

UNIT_VALUES: Final = {
    b"LoadState": "load",
    b"ActiveState": "active",
    b"SubState": "sub",
    b"Job": "job",
    b"InvocationID": "invocation",
    b"ActiveEnterTimestampMonotonic": "active_since",
}
SERVICE_VALUES: Final = {b"Result": "result", b"ExecMainCode": "code", b"ExecMainStatus": "exit_status"}


def fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of systemd, by the names of the tables above, as `UnitFacts` has them."""
    said: dict[str, Any] = {}
    for name, value in values.items():
        match name:
            case "job":
                said[name] = value[0]
            case "invocation":
                said[name] = bytes(value).hex()
            case "active_since":
                said[name] = 0.0 if value == UNKNOWN_NUMBER else value / 1e6
            case _:
                said[name] = sys.intern(value) if isinstance(value, str) else value
    return said


class Ledger:
    """The facts of every loaded unit, by primary name. `now` is boot seconds everywhere.

    A change worth a wake-up adds the unit's name to `changed`; whoever owns the ledger takes the names out. `missed`
    has the units that were up when last heard of and that a listing then showed down: no signal told why they went.
    `refused` has those of which an assertion forbade a start; whoever reads that in their details takes them out.
    """

    def __init__(self) -> None:
        self.units: dict[str, UnitFacts] = {}
        self.changed: set[str] = set()
        self.missed: set[str] = set()
        self.refused: set[str] = set()
        self._silent: set[str] = set()  # of these a service's signal changed something, and the unit's is to follow
        self._raised_by: dict[str, int] = {}  # the job under which a unit came up,
        self._lowered_by: dict[str, int] = {}  # and the one under which it went down, while that job lasts
        self._left_down_by: dict[str, int] = {}  # and the one that a unit which is down has had since
        self._fell_with: dict[str, frozenset[str]] = {}  # what had failed when the unit began to go down under a job
        self._failed_as: dict[str, str] = {}  # the result of a failed unit, which a reset takes away
        self._failed_by: dict[str, int] = {}  # and its control_status, which a daemon-reload takes away
        self._own_jobs: set[int] = set()
        self._dispatching: Counter[str] = Counter()
        self._details: dict[UnitDetail, UnitDetail] = {}  # a host has few different ones: units share them

    def unit_said(self, name: str, values: Mapping[str, Any], now: float) -> None:
        """A unit's own signal, values by the names in `UNIT_VALUES`."""
        old = self.units.get(name) or UnitFacts(name=sys.intern(name))
        said = fields(values)
        if old.active == "failed" and said.get("active") == "inactive":
            # reset-failed: systemd forgets how the run ended, but the unit is down for that reason still.
            said["result"] = self._failed_as.get(name, old.result)
        job = said.get("job", old.job) or old.job  # a job that ends with the change still counts
        self._merge(old, said, self._moved(old, said.get("active", old.active), job), now)
        if name in self._silent:
            self._silent.discard(name)
            self.changed.add(name)

    def service_said(self, name: str, values: Mapping[str, Any], now: float) -> None:
        """The service's part of it (`SERVICE_VALUES`), which systemd sends first: the unit's own signal will wake."""
        old = self.units.get(name) or UnitFacts(name=sys.intern(name))
        if self._merge(old, fields(values), {}, now, wake=False):
            self._silent.add(name)

    def learned(self, name: str, values: Mapping[str, Any]) -> None:
        """What was asked about a loaded unit: nobody is woken, for whoever asked is looking."""
        if (old := self.units.get(name)) is not None:
            self.units[name] = replace(old, **fields(values))

    def described(self, name: str, detail: UnitDetail) -> None:
        """What was asked of a loaded unit's file. It may show for which one others were stopped: a change of those."""
        if (old := self.units.get(name)) is not None:
            if old.active == "failed" and not detail.control_status and name in self._failed_by:
                detail = replace(detail, control_status=self._failed_by[name])
            self.units[name] = replace(old, detail=self._details.setdefault(detail, detail))
            for each in self._fell_with:
                unit = self.units.get(each)
                if unit is not None and unit.stopped_by_job and (bound := self._bound(unit)):
                    self.units[each] = replace(unit, **bound)
                    self.changed.add(each)

    def listed(self, rows: Iterable[Row], file_states: Mapping[str, str], now: float) -> None:
        """All units that are loaded; those that are not among them are gone.

        `file_states` has those unit file states that can be told without asking systemd: of other units they are kept,
        but for what is now known to be no longer so.
        """
        gone = set(self.units)
        for name, _, load, active, sub, _, _, job, _, _ in rows:
            gone.discard(name)
            old = self.units.get(name)
            state = _file_state(load, file_states.get(name, ""), "" if old is None else old.file_state)
            if old is None:
                old = UnitFacts(name=sys.intern(name))
                self.changed.add(old.name)
            elif (old.active, old.sub, old.load, old.job, old.file_state) == (active, sub, load, job, state):
                continue
            said = {"load": load, "active": active, "sub": sub, "job": job, "file_state": state}
            if name in self.units and active in _DOWN and old.active not in _DOWN and not job:
                self.missed.add(name)
            said = {key: sys.intern(value) if isinstance(value, str) else value for key, value in said.items()}
            self._merge(old, said, self._moved(old, active, job), now)
        for name in gone:
            self.removed(name)
        self._settle_jobs(now)

    def removed(self, name: str) -> None:
        """The unit is no longer loaded."""
        for memory in (self._raised_by, self._lowered_by, self._left_down_by, self._fell_with):
            memory.pop(name, None)
        self._silent.discard(name)
        self._failed_as.pop(name, None)
        self._failed_by.pop(name, None)
        self.missed.discard(name)
        self.refused.discard(name)
        if self.units.pop(name, None) is not None:
            self.changed.add(name)

    def stopped(self, name: str, now: float) -> None:
        """The journal told that the unit, which is down, was stopped on purpose."""
        if (old := self.units.get(name)) is not None and old.active in _DOWN:
            self._fell_with[name] = self._failed(seen=False)
            self._merge(old, {}, {"stopped_by_job": True} | self._bound(old), now)

    def forget_details(self) -> None:
        """Unit files may have changed."""
        for name, unit in self.units.items():
            if unit.detail is not None:
                if unit.active == "failed" and unit.detail.control_status:
                    self._failed_by[name] = unit.detail.control_status
                self.units[name] = replace(unit, detail=None)
        self._details.clear()

    # Jobs

    def dispatching(self, name: str) -> None:
        """A job for the unit is being asked for: the job that shows up on it before the answer does is our own."""
        self._dispatching[name] += 1

    def dispatched(self, name: str, job: int | None, now: float) -> None:
        """The answer: the id of the job while it lasts, None if there is none (any more)."""
        self._dispatching[name] -= 1
        if not self._dispatching[name]:
            del self._dispatching[name]
        if job is not None:
            self._own_jobs.add(job)
        if (unit := self.units.get(name)) is not None:
            self._merge(unit, {}, {"own_job": self._is_own(name, unit.job)}, now)

    def job_ended(self, job: int, name: str, result: str, now: float) -> None:
        """A job is gone (JobRemoved)."""
        own = self._is_own(name, job)
        self._own_jobs.discard(job)
        if self._raised_by.get(name) == job:
            del self._raised_by[name]
        lowered = self._lowered_by.get(name) == job
        if lowered:
            del self._lowered_by[name]
        left = self._left_down_by.get(name) == job
        if left:
            del self._left_down_by[name]
            self._fell_with.pop(name, None)
        if (unit := self.units.get(name)) is None:
            return
        derived: dict[str, Any] = {"lowered": False} if lowered else {}
        if (lowered or left) and not own and result == "done" and unit.active in _DOWN:
            derived |= {"stopped_by_job": True} | (self._bound(unit) if lowered else {"stopped_for": ""})
        if result == "dependency" and unit.active in _DOWN:
            derived["dependency_failed"] = True
        if result == "assert":
            self.refused.add(name)
            if unit.detail is not None and not unit.detail.assert_failed:
                derived["detail"] = None  # which has it, and is read anew
            self.changed.add(name)
        self._merge(unit, {"job": 0} if unit.job == job else {}, derived, now)

    def _is_own(self, name: str, job: int) -> bool:
        return job != 0 and (job in self._own_jobs or name in self._dispatching)

    def _settle_jobs(self, now: float) -> None:
        """Jobs that ended unheard, as a listing shows."""
        for name, job in (self._raised_by | self._lowered_by).items():
            unit = self.units[name]
            if unit.job != job:
                self.job_ended(job, name, "failed" if unit.result == "start-limit-hit" else "done", now)
        self._own_jobs &= {unit.job for unit in self.units.values()}

    # States

    def _moved(self, old: UnitFacts, active: str, job: int) -> dict[str, Any]:
        """What follows from a change of the active state under a job (0: none)."""
        if active in _FALLING and old.active not in _FALLING and job and (failed := self._failed(seen=True)):
            self._fell_with[old.name] = failed
        if active in _DOWN:
            if job and old.active not in _DOWN and self._raised_by.get(old.name) != job:
                self._lowered_by[old.name] = job
                return {"lowered": True}
            if job and _is_down(old) and job not in (self._lowered_by.get(old.name), self._raised_by.get(old.name)):
                self._left_down_by[old.name] = job
        elif active not in _FALLING:
            self._lowered_by.pop(old.name, None)
            self._left_down_by.pop(old.name, None)
            self._fell_with.pop(old.name, None)
            if job and old.active in _FALLING:
                self._raised_by[old.name] = job
            up = {"stopped_by_job": False, "stopped_for": "", "lowered": False, "dependency_failed": False}
            return up | {"seen_up": True}
        return {}

    def _failed(self, *, seen: bool) -> frozenset[str]:
        """The units that went down by themselves. `seen`: signals told how, so that more than a failure counts."""

        def fell(unit: UnitFacts) -> bool:
            by_itself = unit.sub in _AUTO_RESTART or (unit.active in _DOWN and unit.code != 0)
            return unit.active == "failed" or (seen and by_itself)

        on_purpose = self._lowered_by
        return frozenset(
            name
            for name, unit in self.units.items()
            if fell(unit) and not unit.stopped_by_job and name not in on_purpose
        )

    def _bound(self, unit: UnitFacts) -> dict[str, Any]:
        """What follows for a unit that a job stopped, once it is known what it binds to, itself or over others."""
        failed = self._fell_with.get(unit.name)
        seen = {unit.name}
        below = [unit] if failed else []
        while failed and below:
            detail = below.pop(0).detail
            for name in detail.requires if detail is not None else ():
                if detail is not None and name in detail.binds_to and name in failed:
                    return {"stopped_for": name, "stopped_by_job": False}
                if name in self.units and name not in seen:
                    seen.add(name)
                    below.append(self.units[name])
        return {}

    def _merge(
        self, old: UnitFacts, said: Mapping[str, Any], derived: Mapping[str, Any], now: float, *, wake: bool = True
    ) -> bool:
        """Write down what differs; whether that is worth a wake-up."""
        news = {name: value for name, value in (*said.items(), *derived.items()) if getattr(old, name) != value}
        if not news:
            self.units.setdefault(old.name, old)
            return False
        # An invocation that was not known yet is not a new one.
        telling = not _TELLING.isdisjoint(news) and (old.invocation != "" or news.keys() & _TELLING != {"invocation"})
        if "job" in news:
            news["own_job"] = self._is_own(old.name, news["job"])
        if not _STATE.isdisjoint(news):
            news["changed_at"] = now
        if news.get("sub") in _AUTO_RESTART and old.sub not in _AUTO_RESTART:
            news["auto_restarts"] = (*old.auto_restarts, now)[-AUTO_RESTARTS_KEPT:]
        if (
            "active" in news
            and old.detail is not None
            and (old.detail.assert_failed or not old.name.endswith(".service"))
        ):
            news["detail"] = None  # holds what became of the last start; results are in the signals of services only
        self.units[old.name] = new = replace(old, **news)
        if news.get("active") == "failed" and _failed_around(new):
            self.units[old.name] = new = replace(new, detail=None)  # no signal told which command it was
        if new.active == "failed" and new.result != "success":
            self._failed_as[new.name] = new.result
        elif new.active not in _FALLING:
            self._failed_as.pop(new.name, None)
            self._failed_by.pop(new.name, None)
        if telling and wake:
            self.changed.add(old.name)
        return telling


def _is_down(unit: UnitFacts) -> bool:
    """Whether it is down though nobody wanted that, nor its own work being done."""
    if unit.active not in _DOWN or unit.stopped_by_job:
        return False
    if unit.active == "failed" or unit.stopped_for or unit.dependency_failed:
        return True
    detail = unit.detail
    if detail is None:
        return False
    return detail.assert_failed or (unit.code != 0 and detail.service_type != "oneshot" and not detail.triggered)


def _failed_around(unit: UnitFacts) -> bool:
    """Whether it failed by an exit status that was not its main process's."""
    told = unit.code == _EXITED and unit.exit_status != 0
    return unit.result in ("exit-code", "start-limit-hit") and not told


def _file_state(load: str, told: str, before: str) -> str:
    """The state of a unit's file: `told` by the links on disk, else what systemd said before unless they refute it."""
    if load == "masked":
        return load
    return told or ("" if before in TOLD_BY_FILES or before == "masked" else before)
