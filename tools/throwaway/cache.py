"""The cache of what hosts are made from: each thing built once, whole or not at all, and kept while it is in use.

It is `$XDG_CACHE_HOME/healthd-hosts` (default `~/.cache/healthd-hosts`):

    RELEASE-KEY/             a Debian tree; KEY stands for the list of packages
    RELEASE-KEY.EXTRAKEY/    a layer on it: what installing further Debian packages changed
    RELEASE-KEY+DEBKEY/      a layer: what installing that .deb changed
    kernel-KEY/              the kernel that virtual machines boot, unpacked
    vm-RELEASE-KEY+.../      the disk of a virtual machine with such a layer, and the machine's state when it was up
    running/NAME/            one directory a running host (see `scratch`)
    *.lock                   held while something of that name is built or removed
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.throwaway.errors import BuildFailed

Build = Callable[[Path], None]


def cache() -> Path:
    """The cache directory, made if it is missing."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "healthd-hosts"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def built(directory: Path, *, guard: str, build: Build) -> Iterator[None]:
    """Holds `directory` against removal; `build` fills it if it was not there. Two processes never build it twice."""
    with ExitStack() as held:
        with locked(guard):
            if not directory.exists():
                _build_aside(directory, build)
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Holds the lock of this name."""
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_aside(directory: Path, build: Build) -> None:
    """Builds beside the final place, so that a build that was interrupted is never mistaken for a whole one."""
    aside = Path(tempfile.mkdtemp(prefix="building-", dir=cache()))
    try:
        target = aside / "tree"
        target.mkdir()
        target.chmod(0o755)  # it becomes "/" of a host, whatever the umask here
        build(target)
        target.rename(directory)
    finally:
        shutil.rmtree(aside)


def run_build(command: list[str]) -> None:
    """Runs a tool that builds something; raises `BuildFailed` with its last lines."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-30:])
        raise BuildFailed(f"{' '.join(command)} ended with status {done.returncode}:\n{last}")


def forget_old(pattern: str, *, keep: int, guard: str) -> None:
    """Of what matches `pattern`, those that are not in use go, but for the newest few."""
    with locked(guard):
        found = sorted(cache().glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
        for directory in found[keep:]:
            if not _in_use(directory):
                shutil.rmtree(directory)


def _in_use(directory: Path) -> bool:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
