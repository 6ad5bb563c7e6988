"""What healthd tells systemd about itself: ready, reloading, stopping, alive, and a line of status (sd_notify(3))."""

from __future__ import annotations

import os
import time

from sdnotify import SystemdNotifier

_MICRO = 1_000_000


class Notifier:
    """Speaks to the manager that started this process; does nothing where none did.

    Never blocks and never raises. What a busy manager does not take is owed and goes out before the next message, but
    for a sign of life: one that is late would be a lie.
    """

    def __init__(self) -> None:
        self._owed: list[str] = []
        self._status: str | None = None
        self._why_off = ""
        self._link = self._connect()

    @property
    def active(self) -> bool:
        """Whether somebody listens."""
        return not self._why_off

    @property
    def why_off(self) -> str:
        """Why nobody listens, in words; empty while somebody does."""
        return self._why_off

    @property
    def owes(self) -> bool:
        """Whether systemd has not taken yet what it must know."""
        return bool(self._owed)

    @property
    def said(self) -> str | None:
        """The line of status that systemd was told last."""
        return self._status

    def ready(self, status: str) -> None:
        """The first judgement is done, or a reload is."""
        self._status = status
        self._tell(f"READY=1\nSTATUS={_plain(status)}")

    def status(self, text: str) -> None:
        """Replace the status line of `systemctl status`; the same text again costs nothing."""
        if text != self._status:
            self._status = text
            self._tell(f"STATUS={_plain(text)}")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The daemon is on its way out."""
        self._tell("STOPPING=1")

    def watchdog(self) -> None:
        """A sign of life. Only a finished round may give it."""
        self._pay()
        if not self._owed:
            self._send("WATCHDOG=1")

    def watchdog_interval(self) -> float | None:
        """Seconds within which systemd wants a sign of life; None if it does not watch this process."""
        limit = os.environ.get("WATCHDOG_USEC", "")
        watched = os.environ.get("WATCHDOG_PID", str(os.getpid()))
        if not self.active or not limit.isdecimal() or not int(limit) or watched != str(os.getpid()):
            return None
        return int(limit) / _MICRO

    def close(self) -> None:
        """Let go of the socket; nothing can be told afterwards."""
        if self._link is not None:
            self._link.socket.close()
            self._link = None
            self._why_off = "closed"

    def _connect(self) -> SystemdNotifier | None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        if not address:
            self._why_off = "not started by systemd with Type=notify (NOTIFY_SOCKET is not set)"
            return None
        try:
            # Unless it debugs, the library hides every error, a message that was not taken among them.
            link = SystemdNotifier(debug=True)
        except OSError as error:
            self._why_off = f"cannot reach systemd at {address}: {error.strerror}"
            return None
        link.socket.setblocking(False)  # a stuck PID 1 must not stop the loop
        return link

    def _tell(self, state: str) -> None:
        if self._link is None:
            return
        if self._owed and state.startswith("STATUS=") and self._owed[-1].startswith("STATUS="):
            self._owed.pop()  # only the newest status matters, and what is owed must not grow
        self._owed.append(state)
        self._pay()

    def _pay(self) -> None:
        while self._owed and self._send(self._owed[0]):
            del self._owed[0]

    def _send(self, state: str) -> bool:
        if self._link is None:
            return False
        try:
            self._link.notify(state)
        except OSError:  # the manager is busy or executes itself anew; the caller keeps what must not get lost
            return False
        return True


def _plain(text: str) -> str:
    """One line of ASCII: the library sends Latin-1, which systemd, expecting UTF-8, shows as nothing at all."""
    return " ".join(text.split()).encode("ascii", "replace").decode("ascii")
