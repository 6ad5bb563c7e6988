"""The outbox: a folder with a file for each letter that is to be delivered. The daemon only writes it.

A file is there as a whole or not at all: it is written beside the folder, brought to the disk, and moved in. Whoever
delivers takes it away. All of it happens in a thread: a disk that hangs holds up letters, and nothing else.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar

from healthd.letters import DELIVERED, OUTBOX
from healthd.record.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

_T = TypeVar("_T")

DEADLINE: Final = 10.0
FALLEN: Final = "failed"
"""The file that systemd/tell-failure writes."""

_FOLDER_MODE: Final = 0o700


class FileOutbox:
    """`ports.Outbox` in the state directory. The thread is there once there is something to write."""

    def __init__(self, directory: Path, *, deadline: float = DEADLINE) -> None:
        self._directory, self._deadline = directory, deadline
        self._worker = Worker("outbox", errors=(OSError,))

    async def put(self, letters: Mapping[str, bytes]) -> None:
        """Have these files in the outbox, by name, in place of those that have the name already; `StorageError`."""
        await self._done(lambda: self._write(letters), OUTBOX)

    async def notes(self, known: Collection[str]) -> tuple[Mapping[str, bytes], int]:
        """What became of letters, by name (empty where it is known), and how many wait; `StorageError`."""
        return await self._done(lambda: self._read(known), DELIVERED)

    async def _done(self, work: Callable[[], _T], folder: str) -> _T:
        return await self._worker.do(work, deadline=self._deadline, where=self._directory / folder)

    def _read(self, known: Collection[str]) -> tuple[Mapping[str, bytes], int]:
        found: dict[str, bytes] = {}
        with suppress(FileNotFoundError):
            for path in (self._directory / DELIVERED).iterdir():
                if not path.name.startswith("."):
                    with suppress(FileNotFoundError, IsADirectoryError):  # it is tidied now and then
                        found[path.name] = b"" if path.name in known else path.read_bytes()
        with suppress(FileNotFoundError):
            return found, sum(not path.name.startswith(".") for path in (self._directory / OUTBOX).iterdir())
        return found, 0

    async def fallen_at(self) -> float | None:
        """When people were told that healthd itself had failed, in Unix seconds; None: not. `StorageError`."""
        return await self._done(self._read_fall, FALLEN)

    async def forget_fall(self) -> None:
        """That is over. `StorageError`."""
        await self._done(lambda: (self._directory / FALLEN).unlink(missing_ok=True), FALLEN)

    def _read_fall(self) -> float | None:
        path = self._directory / FALLEN
        with suppress(FileNotFoundError):
            text = path.read_text(encoding="ascii", errors="replace").strip()
            return float(text) if text.isdecimal() else path.stat().st_mtime
        return None

    def _write(self, letters: Mapping[str, bytes]) -> None:
        folder = self._directory / OUTBOX
        folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        for name, data in letters.items():
            beside = self._directory / f".{OUTBOX}-{name}"
            try:
                descriptor = os.open(
                    beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
                )
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                beside.rename(folder / name)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
