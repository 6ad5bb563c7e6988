"""Where healthd keeps its state and its sockets: where systemd says, else where this user may write."""

from __future__ import annotations

import os
from pathlib import Path

from healthd.errors import StorageError


def runs_under_systemd() -> bool:
    """As sd_booted(3)."""
    return Path("/run/systemd/system").is_dir()


def state_directory() -> Path:
    """Where systemd says, else where this user may write."""
    named = os.environ.get("STATE_DIRECTORY")
    if named:
        return Path(named.partition(":")[0])
    directory = Path("/var/lib/healthd") if os.geteuid() == 0 else Path.home() / ".local/state/healthd"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make {directory}: {error.strerror}; STATE_DIRECTORY= names another one") from error
    return directory


def runtime_directory() -> Path:
    """Where systemd says, else where this user may write. Never /tmp: another user may have been there before."""
    named = os.environ.get("RUNTIME_DIRECTORY")
    if named:
        return Path(named.partition(":")[0])
    if os.geteuid() == 0:
        return Path("/run/healthd")
    own = os.environ.get("XDG_RUNTIME_DIR")
    return Path(own) / "healthd" if own else state_directory()
