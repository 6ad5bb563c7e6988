"""The journal, to be read: the part of `systemd.journal.Reader` that healthd uses, on the same library.

Imported when it is first needed, and then without `systemd.journal`, which takes `uuid` and with that `platform` along
for what nobody here asks (0.6 MiB). Where there is no systemd-python, the import fails.
"""

from __future__ import annotations

from typing import Any, Final

from systemd._reader import LOCAL_ONLY, _Reader

_SECOND: Final = 1e6  # microseconds

Value = str | bytes
"""What is no text stays as it is."""


class Records(_Reader):  # type: ignore[misc]  # the library has no types
    """The records of this host. The lock of the interpreter is held while the library reads: use it in a thread.

    A record has its fields by name, of a field that is there several times the first value, and besides them
    `__REALTIME_TIMESTAMP` and `__MONOTONIC_TIMESTAMP` in seconds and `__CURSOR`. None is left: it is empty.
    """

    def __init__(self) -> None:
        super().__init__(LOCAL_ONLY)

    def add_match(self, **fields: str) -> None:
        """Pass over what differs in one of these; several values of a field are alternatives."""
        for name, value in fields.items():
            super().add_match(f"{name}={value}")

    def seek_realtime(self, wall: float) -> None:
        """To the first record from then on."""
        super().seek_realtime(int(wall * _SECOND))

    def get_next(self) -> dict[str, Any]:
        """The next record."""
        return self._record(1)

    def get_previous(self) -> dict[str, Any]:
        """The one before."""
        return self._record(-1)

    def _record(self, step: int) -> dict[str, Any]:
        if not self._next(step):
            return {}
        record: dict[str, Any] = {name: _value(raw) for name, raw in self._get_all().items()}
        record["__REALTIME_TIMESTAMP"] = self._get_realtime() / _SECOND
        record["__MONOTONIC_TIMESTAMP"] = self._get_monotonic()[0] / _SECOND
        record["__CURSOR"] = self._get_cursor()
        return record


def _value(raw: bytes | list[bytes]) -> Value:
    first = raw[0] if isinstance(raw, list) else raw
    try:
        return first.decode()
    except UnicodeDecodeError:
        return first
