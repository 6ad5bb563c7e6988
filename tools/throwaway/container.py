"""One run of systemd-nspawn over a directory: from start to ready, and to its end."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from tools.throwaway import cgroup
from tools.throwaway.errors import BootFailed

# Without it the container sees the control groups of this machine: on a v1 tree, systemd would have no figures.
_PURE_CGROUP2 = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}


class Container:
    """A booted container; `leader` is the pid of its init as this machine sees it."""

    def __init__(self, *, root: Path, name: str, console: Path, binds: Sequence[str], boot_seconds: float) -> None:
        self._name, self._console = name, console
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
            address = f"{name}-{secrets.token_hex(8)}"
            notifications.bind(f"\0{address}")
            with console.open("ab") as output:
                self._process = subprocess.Popen(
                    _command(root, name, cgroup.make(name), binds),
                    env=os.environ | _PURE_CGROUP2 | {"NOTIFY_SOCKET": f"@{address}"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for us alone: we stop the host in our own order
                )
            try:
                self.leader = self._await_ready(notifications, boot_seconds)
            except BaseException:
                self._process.kill()
                self._end()
                raise

    def _await_ready(self, notifications: socket.socket, boot_seconds: float) -> int:
        """systemd-nspawn tells the leader's pid when it starts, and READY=1 when the container's init says so."""
        leader, deadline = 0, time.monotonic() + boot_seconds
        notifications.settimeout(0.1)
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BootFailed(f"the container ended while it booted:\n{self.console()}")
            try:
                told = notifications.recv(4096).decode().splitlines()
            except TimeoutError:
                continue
            for line in told:
                key, _, value = line.partition("=")
                if key == "X_NSPAWN_LEADER_PID":
                    leader = int(value)
                elif line == "READY=1":
                    return leader
        raise BootFailed(f"the host was not up after {boot_seconds:g} s:\n{self.console()}")

    def console(self) -> str:
        """The end of what the host wrote on its console."""
        return "\n".join(self._console.read_text(errors="replace").splitlines()[-30:])

    def shut_down(self, seconds: float) -> None:
        """An orderly shutdown; after `seconds` the power is cut."""
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(self.leader, signal.SIGKILL)
        self._end()

    def cut_power(self) -> None:
        """Kills the container's init, and with it the kernel every process of the host, at once."""
        if self._process.poll() is None:
            os.kill(self.leader, signal.SIGKILL)
        self._end()

    def _end(self) -> None:
        self._process.wait()
        cgroup.remove(self._name)


def _command(root: Path, name: str, group: Path, binds: Sequence[str]) -> list[str]:
    enter_cgroup = ["sh", "-c", 'echo 0 > "$0" && exec "$@"', str(group / "cgroup.procs")]
    end_with_parent = ["setpriv", "--pdeathsig", "TERM"]
    nspawn = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no"]
    nspawn += ["--notify-ready=yes", "--private-network", "--resolv-conf=off", "--timezone=off", "--link-journal=no"]
    nspawn += ["--console=pipe", f"--machine={name}", f"--directory={root}", *(f"--bind-ro={bind}" for bind in binds)]
    return enter_cgroup + end_with_parent + nspawn
