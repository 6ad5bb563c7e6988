"""Throwaway virtual machines: a real kernel of their own, for what containers cannot show.

    with boot_vm(Release.BOOKWORM, deb=path) as vm:
        vm.sh("modprobe scsi_debug")                   # all that a `Host` can do with commands, journal and units
        vm.order("set_link", name="nic", up=False)     # and what qemu can do to a machine

A machine has what a container lacks: control groups with controllers (MemoryCurrent, MemoryMax=, TasksMax=), OOM kills
with their kernel messages, /dev/kmsg, a writable /proc/sys, a clock of its own to set, an ext4 root that can turn
read-only, a link and a default route that lead nowhere, and disks that fail (null_blk, scsi_debug, loop, dm-flakey).

It is emulated (no /dev/kvm is needed) and some ten times slower than a container. The first one of a package boots for
ten seconds, and its state is kept; each one after it goes on from there in two, pristine, its clock where that was.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.throwaway.scratch import owned
from tools.throwaway.tree import Release, base
from tools.throwaway.vm.image import PACKAGES, image
from tools.throwaway.vm.machine import Vm

__all__ = ["Vm", "boot_vm"]


@contextmanager
def boot_vm(release: Release, *, deb: Path | None = None, extra: Sequence[str] = ()) -> Iterator[Vm]:
    """A pristine machine of `release` that has booted, and nothing is left of it behind. Arguments as for `boot`."""
    with ExitStack() as stack:
        on = stack.enter_context(base(release, deb=deb, extra=(*PACKAGES, *extra)))
        made = stack.enter_context(image(release, on))
        directory = stack.enter_context(owned(f"throwaway-{secrets.token_hex(4)}"))
        vm = Vm(made, directory, release=release)
        stack.callback(vm.kill)
        yield vm
