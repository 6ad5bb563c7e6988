"""The door to the kernel: the only reader of /proc and /sys, a module a subject."""

from __future__ import annotations

from healthd.host.linux import LinuxHost

__all__ = ["LinuxHost"]
