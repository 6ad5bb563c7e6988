"""Throwaway Debian hosts: booted in a second, changed at will, gone without a trace.

Needs root, systemd-nspawn and mmdebstrap. The first host of a release downloads it (half a minute); later ones are at
once. What needs a kernel of its own is done in a virtual machine (`tools/throwaway/vm`), with qemu. From a shell:
`python3 -m tools.throwaway --help`.
"""

from tools.throwaway.errors import BootFailed, BuildFailed, CommandFailed, ThrowawayError
from tools.throwaway.host import Host, boot
from tools.throwaway.machine import Machine
from tools.throwaway.tree import Release
from tools.throwaway.vm import Vm, boot_vm

__all__ = [
    "BootFailed",
    "BuildFailed",
    "CommandFailed",
    "Host",
    "Machine",
    "Release",
    "ThrowawayError",
    "Vm",
    "boot",
    "boot_vm",
]
