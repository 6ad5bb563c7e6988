"""A Debian in a virtual machine: slower to come by than a container, but with a kernel of its own."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.throwaway.machine import Machine
from tools.throwaway.tree import Release
from tools.throwaway.vm.ports import lend
from tools.throwaway.vm.qemu import Qemu

BOOT_SECONDS = 300.0


class Vm(Machine):
    """A machine that goes on from the state saved in `image`, or, the `first` time, boots from its disk.

    All that is written in `directory` and in the machine is its own.
    """

    def __init__(self, image: Path, directory: Path, *, release: Release, first: bool = False) -> None:
        self.release = release
        self._lender = directory / "lender"
        self._qemu = Qemu(image, directory, keep=first, resume=not first)
        self._held = ExitStack()
        self._held.callback(self._qemu.kill)
        try:
            self._held.enter_context(lend(self._qemu.ports, self._lender))
            if not first:
                self._qemu.go_on()
        except BaseException:
            self.kill()
            raise

    def _way_in(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("link.py")), "enter", str(self._lender)]

    def reboot(self, *, cleanly: bool = True) -> None:
        """Shuts down (or, not `cleanly`, is reset as by its button) and boots again on the same disk: ten seconds."""
        with self._qemu.event("RESET", seconds=BOOT_SECONDS):
            if cleanly:
                self.run(["systemctl", "--no-block", "reboot"])
            else:
                self.order("system_reset")
        self.await_boot()

    def await_boot(self) -> None:
        """Waits until systemd has finished starting."""
        self.run(["systemctl", "is-system-running", "--wait"], check=False, seconds=BOOT_SECONDS)

    def order(self, command: str, **arguments: Any) -> Any:
        """Has qemu do something to the machine, by a command of its monitor (QMP): `set_link`, `inject-nmi` ..."""
        return self._qemu.order(command, **arguments)

    def save(self, path: Path) -> None:
        """Writes the machine's state to a file; it stands still afterwards."""
        self._qemu.save(path)

    def kill(self) -> None:
        """Ends the machine at once."""
        self._held.close()

    def console(self) -> str:
        """The end of what the machine wrote on its serial line."""
        return self._qemu.console()
