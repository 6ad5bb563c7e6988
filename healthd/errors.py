"""Everything healthd itself can raise.

HealthdError
├── ConfigError            the configuration is wrong; carries every problem found
├── PluginError            a file of checks/, actions/ or receivers/ is malformed; stops the start
├── BusError               D-Bus: the door translates the library's and systemd's errors
│   ├── BusLost            the connection is gone; whoever asked may ask again later
│   ├── BusTimeout         no answer within the deadline
│   ├── AccessDenied       polkit or the bus policy said no
│   └── NoSuchUnit         systemd cannot find or load the unit
├── ReadError              a check cannot read what it is about; the reading is unknown
├── Absent                 this host lacks what a check is about; the component is left out
├── NoAnswer               a probe was not answered as it should be; that is a reading, and a bad one
├── DeliveryError          a receiver did not take a letter
├── StorageError           the database cannot be read or written
└── RequestError           a client of the API asked for something that cannot be; carries an HTTP status
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.model import Problem


class HealthdError(Exception):
    """Root of the tree: catching it catches nothing that Python or a library raises."""


class ConfigError(HealthdError):
    """The configuration cannot be used. `problems` lists all that was found, in file and line order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class PluginError(HealthdError):
    """A file in one of the folders of like things does not hold what its folder promises."""


class BusError(HealthdError):
    """A D-Bus call was answered with an error. `name` is the D-Bus error name, or "" where there is none."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class BusLost(BusError):
    """The connection to the bus is gone."""


class BusTimeout(BusError):
    """No answer came within the deadline of the call."""


class AccessDenied(BusError):
    """The bus policy or polkit refused the call."""


class NoSuchUnit(BusError):
    """systemd does not know the unit and cannot load it."""


class ReadError(HealthdError):
    """There is no usable reading now: what the kernel, a file or a service said cannot be read or makes no sense."""


class Absent(HealthdError):
    """The host does not have what the check would read: no sensors, no PSI. Says what is lacking."""


class NoAnswer(HealthdError):
    """Whoever was probed did not answer as it should. `cause` is one word for it: refused, timeout, dns, tls ..."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


class DeliveryError(HealthdError):
    """A receiver did not take a letter. `final`: it never will; `wait`: it asked for so many seconds of peace."""

    def __init__(self, message: str, *, wait: float | None = None, final: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.final = final


class StorageError(HealthdError):
    """The state directory or the database in it cannot be read or written."""


class RequestError(HealthdError):
    """A request that cannot be carried out: `status` is the HTTP status, `hint` says what to do instead."""

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint
