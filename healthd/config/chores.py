"""Chores: what is done to the host itself. Each is a unit of healthd's own, which systemd runs as root in a sandbox.

The daemon may start these units and no more. Each has a rehearsal beside it: the same program in a sandbox that can
change nothing, which says what the chore would do.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.model import ActionKind, IssueType

if TYPE_CHECKING:
    from collections.abc import Mapping


class Chore(NamedTuple):
    """An action on the host: the unit that carries it out, and the key in [auto_healing] that switches it on."""

    action: ActionKind
    name: str
    switch: str

    @property
    def unit(self) -> str:
        """The unit that does it."""
        return f"healthd-{self.name}.service"

    @property
    def rehearsal(self) -> str:
        """The unit that only says what it would do."""
        return f"healthd-dry-run@{self.name}.service"


CHORES: Final[Mapping[ActionKind, Chore]] = MappingProxyType(
    {
        each.action: each
        for each in (
            Chore(ActionKind.MEMORY_CLEANUP, "memory-cleanup", "memory_cleanup_enabled"),
            Chore(ActionKind.DISK_CLEANUP, "disk-cleanup", "disk_cleanup_enabled"),
            Chore(ActionKind.NETWORK_RESTART, "network-restart", "network_restart_enabled"),
        )
    }
)

_CALLED_FOR: Final = {
    IssueType.HIGH_MEMORY: ActionKind.MEMORY_CLEANUP,
    IssueType.DISK_FULL: ActionKind.DISK_CLEANUP,
    IssueType.INODES_FULL: ActionKind.DISK_CLEANUP,
    IssueType.NETWORK_ERROR: ActionKind.NETWORK_RESTART,
}


def chore_for(issue: IssueType, unit: str | None) -> Chore | None:
    """The chore that an issue calls for. One that is about a unit is healed by what is done to the unit."""
    action = _CALLED_FOR.get(issue) if unit is None else None
    return None if action is None else CHORES[action]
