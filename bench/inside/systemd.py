"""Asking systemd, with as little work for it as can be: one connection, single properties."""

from __future__ import annotations

import time
from typing import Any, Final

from jeepney import DBusAddress, Properties, new_method_call
from jeepney.io.blocking import open_dbus_connection
from jeepney.wrappers import unwrap_msg

_NAME: Final = "org.freedesktop.systemd1"
_MANAGER: Final = DBusAddress("/org/freedesktop/systemd1", _NAME, _NAME + ".Manager")


class Systemd:
    """A connection to the system bus. Units are full names; instants are seconds of CLOCK_MONOTONIC, 0 for never."""

    def __init__(self) -> None:
        self._connection = open_dbus_connection(bus="SYSTEM")
        self._paths: dict[str, str] = {}

    def main_pid(self, unit: str) -> int:
        """The pid of the unit's main process; raises LookupError if it has none (and 0 would mean our own group)."""
        if pid := int(self._get(unit, "Service", "MainPID")):
            return pid
        raise LookupError(f"{unit} does not run")

    def active_since(self, unit: str) -> float:
        """When the unit last became active; 0 while it is not active."""
        if self._get(unit, "Unit", "ActiveState") != "active":
            return 0.0
        return float(self._get(unit, "Unit", "ActiveEnterTimestampMonotonic")) / 1e6

    def down_since(self, unit: str) -> float:
        """When systemd last saw the unit go down."""
        return float(self._get(unit, "Unit", "InactiveEnterTimestampMonotonic")) / 1e6

    def await_active(self, unit: str, *, after: float, deadline: float, every: float) -> float:
        """When the unit became active after that instant; raises TimeoutError at the deadline, an instant too."""
        while (since := self.active_since(unit)) <= after:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{unit} did not come back")
            time.sleep(every)
        return since

    def _get(self, unit: str, interface: str, name: str) -> Any:
        path = self._paths.get(unit) or self._path(unit)
        question = Properties(DBusAddress(path, _NAME, f"{_NAME}.{interface}")).get(name)
        ((_, value),) = unwrap_msg(self._connection.send_and_get_reply(question))
        return value

    def _path(self, unit: str) -> str:
        (path,) = unwrap_msg(self._connection.send_and_get_reply(new_method_call(_MANAGER, "LoadUnit", "s", (unit,))))
        self._paths[unit] = str(path)
        return self._paths[unit]
