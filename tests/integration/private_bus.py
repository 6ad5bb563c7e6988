"""A dbus-daemon of its own for a test, with the limits of the system bus."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# 128 unanswered calls are what the system bus puts up with; the session bus would take 50,000.
_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow send_type="signal"/>
    <allow receive_sender="*"/>
  </policy>
  <limit name="max_replies_per_connection">128</limit>
</busconfig>
"""


class PrivateBus:
    """The bus: `address` stays the same over `stop` and `start`. `stop` is a crash, as clients see it."""

    def __init__(self, directory: Path) -> None:
        self.address = f"unix:path={directory}/bus"
        self.socket = directory / "bus"
        self._configuration = directory / "bus.conf"
        self._configuration.write_text(_CONFIGURATION.format(address=self.address))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when clients can connect: the daemon prints its address once it listens."""
        command = ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--nopidfile", "--print-address"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith(b"unix:")

    def stop(self) -> None:
        """Kill it, if it runs."""
        if self._process is None:
            return
        self._process.kill()
        with self._process:
            self._process.wait()
        self._process = None
        self.socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """It accepts connections and does nothing more."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


@contextmanager
def private_bus(directory: Path) -> Iterator[PrivateBus]:
    """A bus that runs, and is what `DBUS_SYSTEM_BUS_ADDRESS` names."""
    bus = PrivateBus(directory)
    before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = bus.address
    bus.start()
    try:
        yield bus
    finally:
        bus.stop()
        if before is None:
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        else:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = before
