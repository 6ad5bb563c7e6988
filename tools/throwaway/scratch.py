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
from tools.throwaway.overlay import mount, overlay, stacks, unmount
from tools.throwaway.tree import Base, cache


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
        directory = made.enter_context(_owned(name))
        disk = directory / "disk"
        disk.mkdir()
        if stacks(disk):
            mount("tmpfs", disk, "mode=0755")
            made.callback(unmount, disk)
        upper = disk / "upper"
        upper.mkdir()
        upper.chmod(0o755)
        root = made.enter_context(overlay(lower=base.directories, upper=upper, scratch=disk))
        # A host without a machine id takes its boot for the first one ever and applies all presets.
        (root / "etc/machine-id").write_text(secrets.token_hex(16) + "\n")
        yield Scratch(name=name, root=root, console=directory / "console")


@contextmanager
def _owned(name: str) -> Iterator[Path]:
    running = cache() / "running"
    running.mkdir(exist_ok=True)
    directory = running / name
    with ExitStack() as held:
        with (cache() / "running.lock").open("w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            for stale in running.iterdir():
                _sweep(stale)
            directory.mkdir()
            held.callback(shutil.rmtree, directory)
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield directory


def _sweep(directory: Path) -> None:
    """Removes what a host left whose owner was killed: nobody holds the lock on its directory then."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    finally:
        os.close(handle)
    cgroup.remove(directory.name)
    for place in (directory / "disk" / "merged", directory / "disk"):
        if place.is_mount():
            unmount(place)
    shutil.rmtree(directory)
