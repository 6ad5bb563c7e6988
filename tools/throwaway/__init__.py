"""Throwaway Debian hosts: booted in a second, changed at will, gone without a trace.

Needs root, systemd-nspawn and mmdebstrap. The first host of a release downloads it (half a minute); later ones are at
once. From a shell: `python3 -m tools.throwaway --help`.
"""

from tools.throwaway.errors import BootFailed, BuildFailed, CommandFailed, ThrowawayError
from tools.throwaway.host import Host, boot
from tools.throwaway.tree import Release

__all__ = ["BootFailed", "BuildFailed", "CommandFailed", "Host", "Release", "ThrowawayError", "boot"]
