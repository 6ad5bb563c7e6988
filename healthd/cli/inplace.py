"""A file of root's is put in place in one step: who reads it meanwhile sees the old one or the new one, never half."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # without typing, as healthd.cli.seal
if TYPE_CHECKING:
    from pathlib import Path


def put_in_place(path: Path, data: bytes, *, mode: int, group: int | None = None) -> None:
    """Whatever was there is gone. `group`: it is root's and of this group; None: whoever makes it has it. `OSError`."""
    # Always the same name, so that a power cut leaves no litter, and with another end: polkitd reads all of *.rules.
    temporary = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if group is not None:
                os.fchown(descriptor, 0, group)
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
