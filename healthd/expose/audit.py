"""Every request over TCP as a record of the journal; what comes again and again is counted, and said once a minute."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healthd.events import Event

if TYPE_CHECKING:
    from healthd.expose.message import Client
    from healthd.ports import Log

PERIOD_SECONDS: Final = 60.0
CLIENTS: Final = 1024
_PATH_CHARS: Final = 256
_MANY: Final = "many others"


@dataclass(slots=True, kw_only=True)
class _Seen:
    """A request and its answer; of many, the last one. `count` is how many more came since the last record."""

    method: str
    path: str
    status: int | None
    count: int = 0


class Audit:
    """Writes records. The first of a kind from a client is written at once, the others of a minute are one record."""

    def __init__(self, log: Log, *, period: float = PERIOD_SECONDS, clients: int = CLIENTS) -> None:
        self._log, self._period, self._clients = log, period, clients
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._timer: asyncio.TimerHandle | None = None

    def note(self, client: Client, method: str, path: str, status: int | None) -> None:
        """One request and its answer; None: there was none."""
        seen = _Seen(method=method, path=_printable(path), status=status)
        who = f"with the key {client.key}" if client.key else "without a key"
        self._write(
            f"{_what(seen)} by {client.address} {who}: {status or 'no answer'}", client.address, seen, client.key
        )

    def count(self, client: Client, method: str, path: str, status: int, kind: str) -> None:
        """One of many of this kind: the first is written now, and those that follow within a minute together."""
        address = client.address
        if (address, kind) not in self._seen and len(self._seen) >= self._clients:
            address = _MANY
        seen = self._seen.get((address, kind))
        if seen is None:
            seen = self._seen[address, kind] = _Seen(method=method, path=_printable(path), status=status)
            self._write(
                f"{_what(seen)} by {client.address} without a key: {_answered(seen, kind)}", address, seen, count=1
            )
            self._go_on()
            return
        seen.method, seen.path, seen.status = method, _printable(path), status
        seen.count += 1

    def flush(self) -> None:
        """Say what was counted. Goes on by itself as long as there is something to count."""
        self.stop()
        before, self._seen = self._seen, {}
        for (address, kind), seen in before.items():
            if seen.count:
                more = f"{seen.count} more within {self._period:g} s, the last: {_answered(seen, kind)}"
                self._write(f"{_what(seen)} by {address} without a key: {more}", address, seen, count=seen.count)
                self._seen[address, kind] = replace(seen, count=0)
        self._go_on()

    def stop(self) -> None:
        """Let no timer run on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        if self._seen and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._period, self.flush)

    def _write(self, text: str, address: str, seen: _Seen, key: str = "", *, count: int | None = None) -> None:
        self._log.event(
            Event.API_REQUEST,
            text,
            client=address,
            method=seen.method or None,
            path=seen.path or None,
            key=key or None,
            http_status=seen.status,
            count=count,
        )


def _what(seen: _Seen) -> str:
    return f"{seen.method} {seen.path}" if seen.method else "what is no request"


def _answered(seen: _Seen, kind: str) -> str:
    """The status; for what was no request, why it was none."""
    return str(seen.status) if seen.method else kind


def _printable(path: str) -> str:
    """A path as it may stand in a record: of a bounded length, and nothing that would colour a terminal."""
    text = "".join(char if char.isascii() and char.isprintable() else "?" for char in path[:_PATH_CHARS])
    return f"{text}..." if len(path) > _PATH_CHARS else text
