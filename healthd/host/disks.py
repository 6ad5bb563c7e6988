"""The file systems of this host: what is mounted, how full it is, and whether it has turned read-only."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from healthd.errors import ReadError
from healthd.figures import Mount, Space
from healthd.host.files import read as read_file
from healthd.host.mounts import chosen, meant_writable
from healthd.host.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from healthd.host.files import Kept
    from healthd.host.mounts import Entry
    from healthd.host.survey import Answer


READ_SECONDS: Final = 5.0
"""After so long the list of mounts is read again although the kernel has not said that it changed ...

... which it says, by poll(2), of what is mounted, unmounted and remounted, and not of a file system that it has turned
read-only itself. To make the list up takes the kernel longer than anything else that a round reads.
"""

_MOUNTS: Final = "1/mountinfo"
_MOUNTS_READ: Final = 16 * 1024 * 1024


class Disks:
    """Remembers of each file system whether it was seen writable since healthd started."""

    def __init__(
        self,
        proc: Kept,
        sys: Path,
        fstab: Path,
        ask: Callable[[bytes], os.statvfs_result] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proc, self._sys, self._fstab = proc, sys, fstab
        self._survey = Survey() if ask is None else Survey(ask)
        self._now, self._read_at, self._changes = now, float("-inf"), select.poll()
        self._text = b""
        self._entries: tuple[Entry, ...] = ()
        self._writable: set[tuple[str, bytes]] = set()
        self._meant: Mapping[bytes, bool] = {}
        self._errors: dict[tuple[str, bytes], int] = {}

    async def read(self, *, deadline: float) -> tuple[Mount, ...]:
        """Every mount that counts. `deadline`: seconds after which a mount is said to hang. Raises `ReadError`."""
        self._list()
        asked = [entry.path for entry in self._entries if entry.writable and not entry.remote]
        answers = await self._survey.look(asked, deadline=deadline)
        mounts = (self._mount(entry, answers) for entry in self._entries)
        return tuple(mount for mount in mounts if mount is not None)

    def _list(self) -> None:
        try:
            if not self._may_have_changed():
                return
            text = self._proc.read(_MOUNTS, _MOUNTS_READ)
            self._read_at = self._now()
            if text == self._text:  # as nearly always
                return
            self._entries, self._text = chosen(text), text
        except (OSError, ValueError) as error:
            raise ReadError(f"the list of mounts cannot be read: {error}") from error
        here = {(entry.device, entry.path) for entry in self._entries}
        now = {(entry.device, entry.path) for entry in self._entries if entry.writable}
        self._writable = (self._writable & here) | now
        self._errors = {key: count for key, count in self._errors.items() if key in here}
        with suppress(OSError):  # a container has none
            self._meant = meant_writable(self._fstab.read_text(encoding="utf-8", errors="surrogateescape"))

    def _may_have_changed(self) -> bool:
        if self._read_at == float("-inf"):
            self._changes.register(self._proc.opened(_MOUNTS), select.POLLPRI)
        return bool(self._changes.poll(0)) or self._now() >= self._read_at + READ_SECONDS

    def _mount(self, entry: Entry, answers: Mapping[bytes, Answer]) -> Mount | None:
        """None: it is nobody's business, or gone meanwhile."""
        answer = answers.get(entry.path)
        space, trouble = None, ""
        writable = entry.writable and not self._broke(entry)
        was_writable = (entry.device, entry.path) in self._writable or self._meant.get(entry.path, False)
        if entry.type == "tmpfs" and not was_writable:
            return None
        if isinstance(answer, PermissionError):
            if entry.type == "tmpfs":  # in a directory of its own that only its owner may enter
                return None
            trouble = "out of reach for healthd's user"
        elif isinstance(answer, FileNotFoundError):
            return None
        elif isinstance(answer, OSError):
            trouble = f"cannot be asked: {answer.strerror}"
        elif answer is not None:
            space = _space(answer)
        return Mount(
            name=entry.name,
            type=entry.type,
            remote=entry.remote,
            writable=writable,
            was_writable=was_writable,
            hangs=entry.writable and not entry.remote and answer is None,
            unreadable=trouble,
            refused=isinstance(answer, PermissionError),
            space=space,
        )

    def _broke(self, entry: Entry) -> bool:
        """Whether ext4 found something broken since healthd first saw it mounted, and so writes no more.

        Linux 6.12 to 6.14 say so nowhere else: mountinfo still says "rw".
        """
        if not entry.stops_on_error:
            return False
        try:
            name = os.readlink(f"{self._sys}/dev/block/{entry.device}").rpartition("/")[2]  # noqa: PTH115  see files.py
            count = int(read_file(f"{self._sys}/fs/ext4/{name}/errors_count"))
        except (OSError, ValueError):
            return False
        return count > self._errors.setdefault((entry.device, entry.path), count)


def _space(answer: os.statvfs_result) -> Space:
    size = answer.f_frsize
    return Space(
        used=(answer.f_blocks - answer.f_bfree) * size,
        available=answer.f_bavail * size,
        inodes=answer.f_files,
        inodes_free=answer.f_ffree,
    )
