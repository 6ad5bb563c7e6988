"""What a virtual machine starts from: its kernel, its disk, and its state as it was when it had booted; kept."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.throwaway.cache import built, cache, forget_old, run_build
from tools.throwaway.errors import BootFailed, ThrowawayError
from tools.throwaway.overlay import overlay
from tools.throwaway.tree import Base, Release
from tools.throwaway.vm import initrd
from tools.throwaway.vm.machine import Vm
from tools.throwaway.vm.ports import PORTS

IMAGES_KEPT = 3
DISK_MIB = 2048

PACKAGES = ("dmsetup", "e2fsprogs", "kmod", "udev")
"""What a machine with a kernel of its own has besides."""

_KERNEL = ("linux-image-cloud-amd64", "busybox-static")
_HERE = Path(__file__).parent

_FILES = {
    "etc/fstab": "/dev/vda / ext4 errors=remount-ro 0 1\n",
    "etc/modules-load.d/throwaway.conf": "virtio_console\nvirtio_net\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    # The units are static, so that nobody takes them for services that an operator enabled.
    "usr/lib/systemd/system/throwaway-agent.service": f"""[Unit]
Description=Runs what the throwaway machine is told from outside
After=systemd-modules-load.service
[Service]
ExecStart=/usr/bin/python3 /usr/lib/throwaway/link.py serve {" ".join(PORTS)}
OOMScoreAdjust=-1000
""",
    "usr/lib/systemd/system/throwaway-network.service": """[Unit]
Description=Gives the throwaway machine the address that qemu expects
After=systemd-modules-load.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -euc "ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2"
""",
}
_WANTED = "usr/lib/systemd/system/multi-user.target.wants"


@contextmanager
def image(release: Release, on: Base) -> Iterator[Path]:
    """The directory with the machine that stands on these directories; made and booted once if it is missing."""
    sources = b"".join(path.read_bytes() for path in sorted(_HERE.glob("*.py")))
    key = hashlib.sha256(sources).hexdigest()[:8]
    directory = cache() / f"vm-{on.directories[0].name}-{key}"
    with ExitStack() as held:
        kernel = held.enter_context(_kernel(release))
        held.enter_context(
            built(directory, guard=directory.name, build=lambda target: _build(release, on, kernel, target))
        )
        os.utime(directory)
        forget_old("vm-*/", keep=IMAGES_KEPT, guard=directory.name)
        yield directory


@contextmanager
def _kernel(release: Release) -> Iterator[Path]:
    """Debian's kernel and a static busybox, unpacked and not installed."""
    key = hashlib.sha256("\0".join((release, *_KERNEL)).encode()).hexdigest()[:8]
    directory = cache() / f"kernel-{key}"
    command = ["mmdebstrap", "--mode=root", "--variant=extract", "--format=directory"]
    command += [f"--include={','.join(_KERNEL)}", release]
    mirror = os.environ.get("HEALTHD_DEBIAN_MIRROR")

    def build(target: Path) -> None:
        run_build([*command, str(target), *([mirror] if mirror else [])])

    with built(directory, guard=directory.name, build=build):
        yield directory


def _build(release: Release, on: Base, kernel: Path, target: Path) -> None:
    (modules,) = _unpacked(kernel, "lib/modules").iterdir()
    shutil.copy(kernel / "boot" / f"vmlinuz-{modules.name}", target / "kernel")
    (target / "initrd").write_bytes(initrd.initrd(_unpacked(kernel, "bin/busybox"), modules))
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache()) as aside, ExitStack() as mounted:
        upper = Path(aside) / "upper"
        upper.mkdir(mode=0o755)
        root = mounted.enter_context(overlay(lower=on.directories, upper=upper, scratch=Path(aside)))
        _fill(root, modules)
        make_disk = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", "-d", str(root)]
        run_build([*make_disk, str(target / "disk"), f"{DISK_MIB}M"])
    _boot_once(release, target)


def _unpacked(kernel: Path, path: str) -> Path:
    """Where a package has this: Debian 13 ships all below /usr, and no link stands in for the old place here."""
    return next(place for place in (kernel / path, kernel / "usr" / path) if place.exists())


def _fill(root: Path, modules: Path) -> None:
    """Turns a tree for containers into one for a machine."""
    for path, text in _FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / _WANTED).mkdir(parents=True, exist_ok=True)
    for unit in ("throwaway-agent.service", "throwaway-network.service"):
        (root / _WANTED / unit).symlink_to(f"../{unit}")
    shutil.copytree(modules, root / "lib/modules" / modules.name, symlinks=True)
    subprocess.run(["chroot", str(root), "depmod", modules.name], check=True)
    (root / "usr/lib/throwaway").mkdir()
    shutil.copy(_HERE / "link.py", root / "usr/lib/throwaway/link.py")


def _boot_once(release: Release, target: Path) -> None:
    """Boots the machine and saves its state: all others go on from there, in two seconds in place of ten."""
    with tempfile.TemporaryDirectory(prefix="booting-", dir=cache()) as directory:
        machine = Vm(target, Path(directory), release=release, first=True)
        try:
            machine.await_boot()
            machine.sh("sync")
            machine.save(target / "state")
        except (ThrowawayError, subprocess.TimeoutExpired) as error:
            raise BootFailed(f"the machine did not come up: {error}\n{machine.console()}") from error
        finally:
            machine.kill()
