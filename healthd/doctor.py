"""Tries each thing that the daemon needs, from inside its own sandbox, and says how to mend what does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.answers import Diagnosis
from healthd.config import permitted
from healthd.decide.silence import why
from healthd.errors import BusError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.pipeline import Pipeline
    from healthd.ports import Store, Units

_DEADLINE: Final = 5.0
_SHOWN: Final = 3
_RULE: Final = "/etc/polkit-1/rules.d/60-healthd-units.rules"
_MEND: Final = "mend the file, then: healthctl config check && systemctl reload healthd"
_SETTINGS: Final = frozenset({"tls", "api keys"})  # what is wrong with an address may be over in a moment
_ALWAYS_THERE: Final = "systemd-journald.service"


class Doctor:
    """Diagnoses. `rejected` holds what was wrong with the configuration at the last reload, if it was refused.

    `watchdog` says how systemd guards this process. `sockets` are the paths at which the API is served; `tcp` tells of
    each address, once there are any.
    """

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        units: Units,
        store: Store,
        log_is_journal: bool,
        watchdog: Callable[[], Diagnosis],
        sockets: Sequence[str],
    ) -> None:
        self._pipeline, self._units, self._store = pipeline, units, store
        self._log_is_journal, self._watchdog, self._sockets = log_is_journal, watchdog, sockets
        self.tcp: Callable[[], Iterable[Diagnosis]] = tuple
        self.rejected = ""
        self._asked = 0

    async def diagnose(self) -> tuple[Diagnosis, ...]:
        """All of it, in the order in which a person would mend it."""
        return (
            self._configuration(),
            await self._bus(),
            await self._grants(),
            self._log(),
            await self._evidence(),
            await self._state(),
            self._watchdog(),
            self._listening(),
            *self.tcp(),
            *self._left_out(),
            *self._silences(),
        )

    def warnings(self) -> tuple[str, ...]:
        """What should be looked at in the configuration that is in force, in one line each."""
        of_tcp = (f"{each.text} ({each.remedy})" for each in self.tcp() if each.ok is False and each.name in _SETTINGS)
        return (*map(str, self._pipeline.settings.warnings), *of_tcp)

    def _left_out(self) -> Iterable[Diagnosis]:
        """What this host has nothing of: no fault, and good to know for one who looks for it."""
        lacking = self._pipeline.picture.left_out()
        if lacking:
            text = "; ".join(f"{name}: {why}" for name, why in lacking.items())
            yield Diagnosis(name="left out", ok=None, text=text)

    def _configuration(self) -> Diagnosis:
        if self.rejected:
            return Diagnosis(
                name="configuration",
                ok=False,
                text=f"the last reload was refused: {self.rejected}",
                remedy=_MEND,
            )
        settings = self._pipeline.settings
        if settings.warnings:
            text = "\n".join(map(str, settings.warnings))
            return Diagnosis(name="configuration", ok=False, text=text, remedy=_MEND)
        return Diagnosis(name="configuration", ok=True, text=f"in force: {', '.join(settings.files) or 'the defaults'}")

    async def _bus(self) -> Diagnosis:
        remedy = "systemctl status dbus; healthd reconnects by itself"
        if not self._units.connected:
            return Diagnosis(name="system bus", ok=False, text="systemd cannot be asked over D-Bus", remedy=remedy)
        try:
            await self._units.check_failed()
        except BusError as error:
            return Diagnosis(name="system bus", ok=False, text=str(error), remedy=remedy)
        loaded = _units(len(self._units.facts()))
        return Diagnosis(name="system bus", ok=True, text=f"systemd answers; loaded: {loaded}")

    async def _grants(self) -> Diagnosis:
        """ResetFailedUnit on a unit that has not failed asks polkit the real question and changes nothing."""
        if not self._units.connected:
            return Diagnosis(name="polkit", ok=None, text="not tried: the system bus does not answer")
        units = tuple(self._grantable())
        refused: dict[str, list[str]] = {}
        if not units:
            return Diagnosis(name="polkit", ok=None, text="not tried: there is no unit that healthd would act on")
        for name in units:
            try:
                result = await self._units.reset_failed(name, deadline=_DEADLINE)
            except BusError as error:  # the next one would wait as long, and get no other answer
                text = f"no answer whether {name} may be healed: {error}"
                return Diagnosis(name="polkit", ok=False, text=text, remedy="systemctl status polkit dbus")
            if result.result == "refused":
                refused.setdefault(result.text, []).append(name)
        if refused:
            count = sum(map(len, refused.values()))
            text = f"{count} of {_units(len(units))} may not be healed: {_by_reason(refused)}"
            remedy = f"is polkitd installed and running? The rule is {_RULE}; systemctl reload healthd writes it"
            return Diagnosis(name="polkit", ok=False, text=text, remedy=remedy)
        return Diagnosis(
            name="polkit", ok=True, text=f"healthd may heal {_units(len(units))}, all that it would act on"
        )

    def _grantable(self) -> Iterable[str]:
        """Watched units that healing may act on, but for those from which the question would take something.

        A failed unit would lose its result, and one that systemd keeps restarting the count towards its start limit.
        """
        facts = self._units.facts()
        for _, name in sorted(self._pipeline.picture.items):
            unit = facts.get(name)
            quiet = unit is not None and unit.active in ("active", "inactive") and not unit.auto_restarts
            if quiet and permitted(self._pipeline.settings, name) is None:
                yield name

    def _log(self) -> Diagnosis:
        if self._log_is_journal:
            return Diagnosis(name="log", ok=True, text="records go to the journal: journalctl -u healthd")
        return Diagnosis(name="log", ok=None, text="records go to standard error: healthd was not started by systemd")

    async def _evidence(self) -> Diagnosis:
        """Whether the journal can be read: it tells who stopped a unit while healthd was down."""
        try:
            known = await self._units.stopped_on_purpose(_ALWAYS_THERE)
        except BusError:
            return Diagnosis(name="journal", ok=None, text="not tried: the system bus does not answer")
        if known is None:
            text = "the journal cannot be read: a stop while healthd is down cannot be told from a failure"
            return Diagnosis(
                name="journal", ok=False, text=text, remedy="add SupplementaryGroups=systemd-journal to healthd.service"
            )
        return Diagnosis(name="journal", ok=True, text="the journal can be read")

    async def _state(self) -> Diagnosis:
        self._asked += 1
        try:
            await self._store.save({"doctor": self._asked}, ())  # an empty transaction would not touch the disk
        except StorageError as error:
            remedy = "df -h /var/lib/healthd; limits are kept in memory until it can be written again"
            return Diagnosis(name="state", ok=False, text=str(error), remedy=remedy)
        return Diagnosis(name="state", ok=True, text="the database can be written")

    def _silences(self) -> Iterable[Diagnosis]:
        """What is silenced is no fault, but somebody may have forgotten it."""
        set_now = self._pipeline.state.silences
        if set_now:
            texts = (f"{each.scope} ({each.id}), set by {each.by}{why(each)}" for each in set_now)
            yield Diagnosis(name="silences", ok=None, text="\n".join(texts), remedy="healthctl resume ID ends one")

    def _listening(self) -> Diagnosis:
        if not self._sockets:
            remedy = "systemctl restart healthd.socket healthd.service"
            return Diagnosis(name="sockets", ok=False, text="no socket is served", remedy=remedy)
        return Diagnosis(name="sockets", ok=True, text="serving " + ", ".join(self._sockets))


def _units(count: int) -> str:
    return "1 unit" if count == 1 else f"{count} units"


def _by_reason(refused: Mapping[str, Sequence[str]]) -> str:
    """Each reason once, with the first units that it was given for."""
    parts = []
    for reason, names in refused.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        parts.append(f"{', '.join(names[:_SHOWN])}{more}: {reason}")
    return "; ".join(parts)


def watchdog_diagnosis(interval: float | None, why_off: str) -> Diagnosis:
    """What the watchdog's `interval` in seconds means; None: it is off, for this reason if there is one."""
    if interval is None:
        return Diagnosis(name="watchdog", ok=None, text=why_off or "WatchdogSec= is not set for healthd")
    return Diagnosis(name="watchdog", ok=True, text=f"systemd restarts healthd if no round ends within {interval:g} s")
