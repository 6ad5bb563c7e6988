"""One run of qemu: its command line, its monitor, and its end. Emulated throughout (TCG): no /dev/kvm is needed."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tools.throwaway.errors import BootFailed, ThrowawayError
from tools.throwaway.vm.ports import PORTS
from tools.throwaway.waiting import wait_until

MEMORY_MIB = 1024

_KERNEL_WORDS = (
    "console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=on net.ifnames=0 systemd.show_status=no rw"
    " systemd.mask=serial-getty@ttyS0.service"
)


class Qemu:
    """A virtual machine in `directory`, which is its own. The disk of `image` is not written to unless `keep`.

    `image` holds `kernel`, `initrd`, `disk` and, with `resume`, the `state` to go on from; it stands still until
    `go_on` then.
    """

    def __init__(self, image: Path, directory: Path, *, keep: bool = False, resume: bool = False) -> None:
        self.ports = tuple(directory / name for name in PORTS)
        self._console = directory / "console"
        self._monitor, self._events = directory / "monitor", directory / "events"  # each serves one client at a time
        with (directory / "qemu.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._command(image, keep=keep, resume=resume)],
                env=os.environ | {"TMPDIR": str(directory)},  # where what is written to the disk goes
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us alone: we end the machine in our own order
            )
        try:
            self._await(self._listens, 30, "qemu to open its monitor", directory / "qemu.log")
            if resume:
                self._await(lambda: self._state() == "paused", 60, "the saved state", directory / "qemu.log")
        except BaseException:
            self.kill()
            raise

    def _command(self, image: Path, *, keep: bool, resume: bool) -> list[str]:
        disk = f"file={image}/disk,format=raw,if=none,id=disk,cache=unsafe,snapshot={'off' if keep else 'on'}"
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-machine", "pc,usb=off", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]
        command += ["-m", str(MEMORY_MIB), "-kernel", f"{image}/kernel", "-initrd", f"{image}/initrd"]
        command += ["-append", _KERNEL_WORDS, "-serial", f"file:{self._console}", "-qmp", _listen(self._monitor)]
        command += ["-qmp", _listen(self._events)]
        command += ["-drive", disk, "-device", "virtio-blk-pci,drive=disk"]
        command += ["-netdev", "user,id=net,restrict=on", "-device", "virtio-net-pci,netdev=net,id=nic"]
        command += ["-device", "virtio-serial-pci,max_ports=16"]
        for name, path in zip(PORTS, self.ports, strict=True):
            command += ["-chardev", f"socket,id={name},path={path},server=on,wait=off"]
            command += ["-device", f"virtserialport,chardev={name},name={name}"]
        return [*command, "-incoming", f"exec:zstd --decompress --stdout {image}/state"] if resume else command

    def go_on(self) -> None:
        """Lets a machine run that was resumed, once somebody is at each of its ports.

        Before that it would hear that nobody is any more, and who serves the port in the machine would end.
        """
        wait_until(lambda: not self._lonely(), seconds=30, what="the ports to be connected")
        self.order("cont")

    def _lonely(self) -> list[str]:
        """The ports that nobody is connected to."""
        devices = self.order("query-chardev")
        return [each["label"] for each in devices if each["label"] in PORTS and "disconnected" in each["filename"]]

    def order(self, command: str, **arguments: Any) -> Any:
        """Has the monitor do something (qemu's QMP), and gives its answer."""
        with self._talk(self._monitor, 30) as stream:
            return _say(stream, command, **arguments)

    @contextmanager
    def event(self, name: str, *, seconds: float) -> Iterator[None]:
        """Waits, at the end of the block, until qemu has told of this event since its beginning."""
        with self._talk(self._events, seconds) as stream:
            yield
            if not any(json.loads(line).get("event") == name for line in stream):
                raise ThrowawayError(f"qemu ended before {name}")

    @staticmethod
    @contextmanager
    def _talk(path: Path, seconds: float) -> Iterator[TextIO]:
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(seconds)
            monitor.connect(str(path))
            with monitor.makefile("rw") as stream:
                _say(stream, "qmp_capabilities")
                yield stream

    def save(self, path: Path) -> None:
        """Writes the machine's state to `path`; it stands still afterwards."""
        self.order("stop")
        self.order("migrate-set-parameters", **{"max-bandwidth": 2**33})
        self.order("migrate", uri=f"exec:zstd -1 --force --quiet -o {path}")
        wait_until(lambda: self._migration() != "active", seconds=120, what="the state to be saved")
        if (ended := self._migration()) != "completed":
            raise ThrowawayError(f"the state could not be saved: {ended}")

    def _listens(self) -> bool:
        """Whether the monitor answers; all other sockets are there then."""
        try:
            return bool(self._state())
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def _migration(self) -> str:
        status = str(self.order("query-migrate")["status"])
        return "active" if status in ("setup", "device") else status

    def _state(self) -> str:
        return str(self.order("query-status")["status"])

    def _await(self, condition: Callable[[], bool], seconds: float, what: str, log: Path) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BootFailed(f"waited in vain for {what}:\n{log.read_text(errors='replace')}\n{self.console()}")
            time.sleep(0.02)

    def console(self) -> str:
        """The end of what the kernel wrote on the serial line."""
        if not self._console.exists():
            return ""
        return "\n".join(self._console.read_text(errors="replace").splitlines()[-30:])

    def kill(self) -> None:
        """Ends the machine at once."""
        self._process.kill()
        self._process.wait()


def _say(stream: TextIO, command: str, **arguments: Any) -> Any:
    """One command and its answer; what else qemu tells meanwhile is passed over."""
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()
    answer = next(said for line in stream if not {"QMP", "event"} & (said := json.loads(line)).keys())
    if "error" in answer:
        raise ThrowawayError(f"qemu does not {command}: {answer['error']['desc']}")
    return answer["return"]


def _listen(path: Path) -> str:
    return f"unix:{path},server=on,wait=off"
