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
    mount("overlay", merged, options)
    try:
        yield merged
    finally:
        unmount(merged)


def mount(kind: str, target: Path, options: str) -> None:
    """Mounts a file system of `kind`, which needs no device, on `target`."""
    command = ["mount", "-t", kind, "-o", options, kind, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command)}: {done.stderr.strip()}")


def unmount(target: Path) -> None:
    """Detaches `target` from the tree now; the kernel lets go of it when its last user has ended."""
    subprocess.run(["umount", "--lazy", str(target)], check=True)


def stacks(directory: Path) -> bool:
    """Whether `directory` lies on an overlay itself, as in a build container: such a place cannot be an upper layer."""
    done = subprocess.run(
        ["stat", "--file-system", "--format=%T", str(directory)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "overlayfs"
