"""Builds and keeps what hosts boot from: a Debian tree of each release, and on it a layer with one package installed.

The cache is `$XDG_CACHE_HOME/healthd-hosts` (default `~/.cache/healthd-hosts`):

    RELEASE-KEY/             the tree; KEY stands for the list of packages
    RELEASE-KEY+DEBKEY/      the layer: what installing that .deb changed
    running/NAME/            one directory a running host (see `scratch`)
    RELEASE-KEY.lock         held while the tree or one of its layers is built or removed
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.throwaway.errors import BuildFailed
from tools.throwaway.overlay import overlay

LAYERS_KEPT = 3

Build = Callable[[Path], None]
# What every host has: an init with its bus, what the package depends on, and what tests look at a host with.
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "polkitd",
    "python3", "python3-psutil", "python3-structlog", "python3-sdnotify", "python3-systemd", "python3-tomli",
    "python3-jeepney", "python3-h11",
    "bash-completion", "ca-certificates", "iproute2", "procps", "sqlite3", "sudo",
)  # fmt: skip

# Documentation is two thirds of a small tree. The rule must not outlive the build: packages under test bring manuals.
_SLIM = ("path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*")
_FINISH = """rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$1"/etc/resolv.conf
echo throwaway > "$1"/etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 throwaway\\n::1 localhost\\n' > "$1"/etc/hosts
"""


class Release(StrEnum):
    """The Debian releases that healthd promises to run on."""

    BOOKWORM = "bookworm"
    TRIXIE = "trixie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a host stands on: read-only directories, the topmost first; none is removed while it is in use."""

    directories: tuple[Path, ...]


def cache() -> Path:
    """The cache directory, made if it is missing."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "healthd-hosts"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextmanager
def base(release: Release, *, deb: Path | None = None, extra: Sequence[str] = ()) -> Iterator[Base]:
    """The tree of `release` with the packages `extra` in it, and `deb` installed on top if given; built if missing."""
    with ExitStack() as held:
        tree = held.enter_context(_tree(release, extra))
        directories: tuple[Path, ...] = (tree,)
        if deb is not None:
            directories = (held.enter_context(_layer(tree, deb)), tree)
        yield Base(directories=directories)


@contextmanager
def _tree(release: Release, extra: Sequence[str]) -> Iterator[Path]:
    packages = ",".join(sorted({*PACKAGES, *extra}))
    key = hashlib.sha256("\0".join((release, packages, *_SLIM, _FINISH)).encode()).hexdigest()[:12]
    directory = cache() / f"{release}-{key}"
    with _built(directory, guard=directory.name, build=lambda target: _bootstrap(release, packages, target)):
        yield directory


@contextmanager
def _layer(tree: Path, deb: Path) -> Iterator[Path]:
    key = hashlib.sha256(deb.read_bytes()).hexdigest()[:12]
    directory = cache() / f"{tree.name}+{key}"
    with _built(directory, guard=tree.name, build=lambda target: _install(tree, deb, target)):
        os.utime(directory)
        _forget_old_layers(tree)
        yield directory


@contextmanager
def _built(directory: Path, *, guard: str, build: Build) -> Iterator[None]:
    """Holds `directory` against removal; `build` fills it if it was not there. Two processes never build it twice."""
    with ExitStack() as held:
        with _locked(guard):
            if not directory.exists():
                _build_aside(directory, build)
            handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield


@contextmanager
def _locked(name: str) -> Iterator[None]:
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


def _bootstrap(release: Release, packages: str, target: Path) -> None:
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={packages}"]
    command += [f"--dpkgopt={option}" for option in _SLIM]
    command += [f"--customize-hook={_FINISH}", release, str(target)]
    if mirror := os.environ.get("HEALTHD_DEBIAN_MIRROR"):
        command.append(mirror)
    _run_build(command)


def _install(tree: Path, deb: Path, target: Path) -> None:
    """Installs `deb` in a container that is not booted: its services are enabled, and start with the first boot."""
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache()) as aside, ExitStack() as mounted:
        merged = mounted.enter_context(overlay(lower=(tree,), upper=target, scratch=Path(aside)))
        inside = "/run/host-package/" + deb.name
        container = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--settings=no"]
        container += ["--pipe", "--resolv-conf=off", "--timezone=off", f"--bind-ro={deb.resolve()}:{inside}"]
        container += [f"--directory={merged}", "--setenv=DEBIAN_FRONTEND=noninteractive"]
        _run_build([*container, "apt-get", "install", "--yes", "--quiet", inside])


def _run_build(command: list[str]) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        last = "\n".join(done.stdout.splitlines()[-30:])
        raise BuildFailed(f"{' '.join(command)} ended with status {done.returncode}:\n{last}")


def _forget_old_layers(tree: Path) -> None:
    """Every build of the package leaves a layer behind; those that no host stands on go, but for the newest few."""
    with _locked(tree.name):
        layers = sorted(cache().glob(f"{tree.name}+*/"), key=lambda path: path.stat().st_mtime, reverse=True)
        for layer in layers[LAYERS_KEPT:]:
            if not _in_use(layer):
                shutil.rmtree(layer)


def _in_use(directory: Path) -> bool:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
