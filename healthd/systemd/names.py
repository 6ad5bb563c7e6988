"""Names of systemd on the bus: the object path of a unit, a unit's name in a path, and the requests that are asked."""

from __future__ import annotations

import re
from typing import Any, Final

from healthd.systemd.bus import Request

SYSTEMD: Final = "org.freedesktop.systemd1"
MANAGER_PATH: Final = "/org/freedesktop/systemd1"
UNIT_PREFIX: Final = "/org/freedesktop/systemd1/unit/"
JOB_PREFIX: Final = "/org/freedesktop/systemd1/job/"
MANAGER: Final = SYSTEMD + ".Manager"
UNIT: Final = SYSTEMD + ".Unit"
SERVICE: Final = SYSTEMD + ".Service"
PROPERTIES: Final = "org.freedesktop.DBus.Properties"
DBUS: Final = "org.freedesktop.DBus"
DBUS_PATH: Final = "/org/freedesktop/DBus"

UNKNOWN_NUMBER: Final = (1 << 64) - 1  # what systemd sends for a number that it does not have

_TO_ESCAPE = re.compile(r"[^A-Za-z0-9]|^[0-9]")  # names of units are ASCII
_ESCAPE = re.compile(r"_([0-9a-f]{2})")


def unit_path(name: str) -> str:
    """The object path of a unit: bytes other than ASCII letters and digits, and a digit in front, become `_xx`."""
    escaped = _TO_ESCAPE.sub(lambda match: f"_{ord(match[0]):02x}", name)
    return UNIT_PREFIX + escaped


def unit_name(path: str) -> str:
    """The name in the object path of a unit; "" for a path that is not one of a unit."""
    if not path.startswith(UNIT_PREFIX):
        return ""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), path[len(UNIT_PREFIX) :])


def job_number(path: str) -> int:
    """The id of a job by its object path."""
    return int(path.removeprefix(JOB_PREFIX))


def manager(member: str, signature: str = "", *body: Any) -> Request:
    """A method of the manager."""
    return Request(SYSTEMD, MANAGER_PATH, MANAGER, member, signature, body)


def get(path: str, interface: str, name: str) -> Request:
    """One property of an object of systemd; the answer is a variant."""
    return Request(SYSTEMD, path, PROPERTIES, "Get", "ss", (interface, name))


def get_all(unit: str, interface: str) -> Request:
    """All properties of one interface of a unit. Loads the unit if it is not loaded."""
    return Request(SYSTEMD, unit_path(unit), PROPERTIES, "GetAll", "s", (interface,))
