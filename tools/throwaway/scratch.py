"""The directory and mounts of one running host: gone when it ends, swept up by the next one if its owner was killed."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.throwaway import cgroup
from tools.throwaway.cache import cache
from tools.throwaway.overlay import overlay, unmount
from tools.throwaway.tree import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """Where a host lives: `root` is its file system, writable; `console` the file that its console goes to."""

    name: str
    root: Path
    console: Path


@contextmanager
def scratch(base: Base) -> Iterator[Scratch]:
    """Makes room for one host on `base`."""
    name = f"throwaway-{secrets.token_hex(4)}"
    with ExitStack() as made:
        directory = made.enter_context(owned(name))
        upper = directory / "upper"
        upper.mkdir()
        upper.chmod(0o755)
        root = made.enter_context(overlay(lower=base.directories, upper=upper, scratch=directory))
        # A host without a machine id takes its boot for the first one ever and applies all presets.
        (root / "etc/machine-id").write_text(secrets.token_hex(16) + "\n")
        yield Scratch(name=name, root=root, console=directory / "console")


@contextmanager
def owned(name: str) -> Iterator[Path]:
    """A directory for something that runs; it is removed at the end, and swept up if we are killed."""
    running = cache() / "running"
    running.mkdir(exist_ok=True)
    directory = running / name
    with ExitStack() as held:
        with (cache() / "running.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            for stale in running.iterdir():
                _sweep(stale)
            directory.mkdir()
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, handle)
            held.callback(shutil.rmtree, directory)  # under the lock still: else another host would sweep it meanwhile
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield directory


def _sweep(directory: Path) -> None:
    """Removes what a host left whose owner was killed: nobody holds the lock on its directory then."""
    with _lock_if_free(directory) as ours:
        if ours and directory.exists():
            cgroup.remove(directory.name)
            if (directory / "merged").is_mount():
                unmount(directory / "merged")
            shutil.rmtree(directory)


@contextmanager
def _lock_if_free(directory: Path) -> Iterator[bool]:
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:  # its host has just ended
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(handle)
