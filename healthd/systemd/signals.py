"""systemd's signals: which are asked for, and what each of them means for the ledger and the jobs.

UnitNew is not listened to. A unit that matters tells its state by signals of its own, and asking for one would load it
again if systemd has dropped it meanwhile, with another UnitNew and UnitRemoved, for ever (`systemctl status` of an
unloaded unit is enough to begin with). What is loaded and silent is seen at the next listing.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from healthd.systemd.bus import Request
from healthd.systemd.facts import SERVICE_VALUES, UNIT_VALUES
from healthd.systemd.names import DBUS, DBUS_PATH, MANAGER, MANAGER_PATH, PROPERTIES, SERVICE, SYSTEMD, UNIT, unit_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.ports import Clock
    from healthd.systemd.facts import Ledger
    from healthd.systemd.jobs import Jobs
    from healthd.systemd.wire import Incoming

RELOAD_LIMIT: Final = 60.0  # seconds; a systemd that never says that its reload is over is asked for its units again

_SHUTDOWN: Final = "shutdown.target"
_CHANGED: Final = f"type='signal',sender='{SYSTEMD}',interface='{PROPERTIES}',member='PropertiesChanged'"
_BELOW_UNITS: Final = f"path_namespace='{MANAGER_PATH}/unit'"
_FROM_MANAGER: Final = f"type='signal',sender='{SYSTEMD}',interface='{MANAGER}',path='{MANAGER_PATH}'"

RULES: Final = (
    *(
        f"{_FROM_MANAGER},member='{member}'"
        for member in ("UnitRemoved", "JobNew", "JobRemoved", "StartupFinished", "UnitFilesChanged", "Reloading")
    ),
    f"{_CHANGED},{_BELOW_UNITS},arg0='{UNIT}'",
    f"{_CHANGED},{_BELOW_UNITS},arg0='{SERVICE}'",
    f"type='signal',sender='{DBUS}',interface='{DBUS}',path='{DBUS_PATH}',member='NameOwnerChanged',arg0='{SYSTEMD}'",
)


def bus_call(member: str, argument: str) -> Request:
    """A method of the bus itself that takes one string."""
    return Request(DBUS, DBUS_PATH, DBUS, member, "s", (argument,))


class Due(Enum):
    """What a signal makes it necessary to ask."""

    UNITS = auto()
    RELOADED = auto()  # unit files may have changed, too
    SYSTEM_STATE = auto()


class Signals:
    """Takes in every signal. `due` is called with what now has to be asked.

    `owner` is systemd's unique name on the bus, "" while it has none. Signals of others are dropped: the system bus
    lets anybody send us any signal directly, and a match rule does not hold those off.
    """

    def __init__(self, ledger: Ledger, jobs: Jobs, clock: Clock, due: Callable[[Due], None]) -> None:
        self.owner = ""
        self.reloading = False
        self._ledger = ledger
        self._jobs = jobs
        self._clock = clock
        self._due = due
        self._patience: asyncio.TimerHandle | None = None

    def start(self, owner: str) -> None:
        """A new connection, on which systemd is `owner`."""
        self.stop()
        self.owner = owner

    def stop(self) -> None:
        """No connection: nothing is heard until the next `start`."""
        self.owner = ""
        self._set_reloading(active=False)

    def heard(self, message: Incoming) -> None:
        """A signal, in the order in which they come."""
        if message.sender == DBUS:
            if message.member == "NameOwnerChanged":
                self._owner_changed(*message.body())
        elif message.sender == self.owner:
            if message.interface == PROPERTIES:
                self._properties_changed(message)
            elif message.interface == MANAGER:
                self._manager_said(message)

    def _owner_changed(self, name: str, _: str, owner: str) -> None:
        if name == SYSTEMD and self.owner != owner:
            self.owner = owner
            if owner:
                self._due(Due.RELOADED)

    def _properties_changed(self, message: Incoming) -> None:
        interface = message.text()
        if not (name := unit_name(message.path)):
            return
        if interface == UNIT:
            self._ledger.unit_said(name, message.skim(UNIT_VALUES), self._clock.boot())
        elif interface == SERVICE:
            self._ledger.service_said(name, message.skim(SERVICE_VALUES), self._clock.boot())

    def _manager_said(self, message: Incoming) -> None:
        match message.member:
            case "JobNew":
                self._job(message.body()[2])
            case "JobRemoved":
                job, _, name, result = message.body()
                self._jobs.ended(job, name, result)
                self._job(name)
            case "UnitRemoved" if not self.reloading:
                # A reload removes every unit and brings it back; the listing behind it shows which stayed away.
                self._ledger.removed(message.body()[0])
            case "Reloading":
                self._reloading(*message.body())
            case "StartupFinished":
                self._due(Due.SYSTEM_STATE)
            case "UnitFilesChanged":
                self._due(Due.UNITS)
            case _:
                pass

    def _job(self, name: str) -> None:
        if name == _SHUTDOWN:  # nothing else says that a shutdown has begun, or was called off
            self._due(Due.SYSTEM_STATE)

    def _reloading(self, active: bool) -> None:  # noqa: FBT001  the signal's argument
        self._set_reloading(active=active)
        if not active:
            self._due(Due.RELOADED)

    def _set_reloading(self, *, active: bool) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self.reloading = active
        if active:
            self._patience = asyncio.get_running_loop().call_later(RELOAD_LIMIT, self._reload_forgotten)

    def _reload_forgotten(self) -> None:
        self._set_reloading(active=False)
        self._due(Due.RELOADED)
