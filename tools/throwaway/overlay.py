"""A writable view of read-only directories: mounts that are gone when the block ends."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.throwaway.errors import BuildFailed


@contextmanager
def overlay(*, lower: Sequence[Path], upper: Path, scratch: Path) -> Iterator[Path]:
    """Mounts `lower` (the topmost first) with all writes going to `upper`; yields the merged directory.

    `scratch` is a directory on the same file system as `upper`; the work directory and the mount point are made in it.
    """
    merged, work = scratch / "merged", scratch / "work"
    merged.mkdir()
    work.mkdir()
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    command = ["mount", "-t", "overlay", "-o", options, "overlay", str(merged)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        hint = "an overlay needs a real disk below it: XDG_CACHE_HOME may name a directory on one"
        raise BuildFailed(f"{' '.join(command)}: {done.stderr.strip()} ({hint})")
    try:
        yield merged
    finally:
        unmount(merged)


def unmount(target: Path) -> None:
    """Detaches `target` from the tree now; the kernel lets go of it when its last user has ended."""
    subprocess.run(["umount", "--lazy", str(target)], check=True)
