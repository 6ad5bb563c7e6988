"""What hosts boot from: a Debian tree of each release, and on it layers of what was installed; all are kept."""

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tools.throwaway.cache import built, cache, forget_old, run_build
from tools.throwaway.overlay import overlay

LAYERS_KEPT = 3

# What every host has: an init with its bus, what the package depends on, and what tests look at a host with.
PACKAGES = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "polkitd",
    "python3", "python3-sdnotify", "python3-systemd", "python3-tomli",
    "python3-jeepney", "python3-h11",
    "bash-completion", "ca-certificates", "iproute2", "procps", "sqlite3", "sudo",
)  # fmt: skip

# Documentation is two thirds of a small tree. The rule must not outlive the build: packages under test bring manuals.
_SLIM = ("path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*")
_FINISH = """rm -f "$1"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "$1"/etc/resolv.conf
echo throwaway > "$1"/etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 throwaway\\n::1 localhost\\n' > "$1"/etc/hosts
"""
_ADD = """printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
echo 'SLIM
force-unsafe-io' > /etc/dpkg/dpkg.cfg.d/99slim
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends "$@"
apt-get clean
rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d /etc/dpkg/dpkg.cfg.d/99slim /etc/resolv.conf
"""


class Release(StrEnum):
    """The Debian releases that healthd promises to run on."""

    BOOKWORM = "bookworm"
    TRIXIE = "trixie"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What a host stands on: read-only directories, the topmost first; none is removed while it is in use."""

    directories: tuple[Path, ...]


@contextmanager
def base(release: Release, *, deb: Path | None = None, extra: Sequence[str] = ()) -> Iterator[Base]:
    """The tree of `release` with the packages `extra` in it, and `deb` installed on top if given; built if missing."""
    with ExitStack() as held:
        directories: tuple[Path, ...] = (held.enter_context(_tree(release)),)
        if extra:
            directories = (held.enter_context(_with_extra(directories[0], sorted({*extra}))), *directories)
        if deb is not None:
            directories = (held.enter_context(_layer(directories, deb)), *directories)
        yield Base(directories=directories)


@contextmanager
def _tree(release: Release) -> Iterator[Path]:
    packages = ",".join(sorted(PACKAGES))
    key = hashlib.sha256("\0".join((release, packages, *_SLIM, _FINISH)).encode()).hexdigest()[:12]
    directory = cache() / f"{release}-{key}"
    with built(directory, guard=directory.name, build=lambda target: _bootstrap(release, packages, target)):
        yield directory


@contextmanager
def _with_extra(tree: Path, packages: Sequence[str]) -> Iterator[Path]:
    key = hashlib.sha256("\0".join((*packages, *_SLIM, _ADD)).encode()).hexdigest()[:12]
    directory = cache() / f"{tree.name}.{key}"
    with built(directory, guard=directory.name, build=lambda target: _add(tree, packages, target)):
        yield directory


@contextmanager
def _layer(lower: tuple[Path, ...], deb: Path) -> Iterator[Path]:
    key = hashlib.sha256(deb.read_bytes()).hexdigest()[:12]
    tree = lower[0]
    directory = cache() / f"{tree.name}+{key}"
    with built(directory, guard=tree.name, build=lambda target: _install(lower, deb, target)):
        os.utime(directory)
        forget_old(f"{tree.name}+*/", keep=LAYERS_KEPT, guard=tree.name)
        yield directory


def _bootstrap(release: Release, packages: str, target: Path) -> None:
    command = ["mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", f"--include={packages}"]
    command += [f"--dpkgopt={option}" for option in _SLIM]
    command += [f"--customize-hook={_FINISH}", release, str(target)]
    if mirror := os.environ.get("HEALTHD_DEBIAN_MIRROR"):
        command.append(mirror)
    run_build(command)


def _add(tree: Path, packages: Sequence[str], target: Path) -> None:
    """Installs Debian packages as mmdebstrap would have: nothing is started, and no documentation comes along."""
    script = _ADD.replace("SLIM", "\n".join(_SLIM))
    _in_container((tree,), target, ["--resolv-conf=copy-host"], ["sh", "-euc", script, "add", *packages])


def _install(lower: tuple[Path, ...], deb: Path, target: Path) -> None:
    """Installs `deb`: its services are enabled, and start with the first boot."""
    inside = "/run/host-package/" + deb.name
    options = ["--private-network", "--resolv-conf=off", f"--bind-ro={deb.resolve()}:{inside}"]
    _in_container(lower, target, options, ["apt-get", "install", "--yes", "--quiet", inside])


def _in_container(lower: tuple[Path, ...], target: Path, options: Sequence[str], command: Sequence[str]) -> None:
    """Runs a command in a container that is not booted; what it changes goes to `target`."""
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache()) as aside, ExitStack() as mounted:
        merged = mounted.enter_context(overlay(lower=lower, upper=target, scratch=Path(aside)))
        container = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--settings=no", "--pipe"]
        container += ["--timezone=off", f"--directory={merged}", "--setenv=DEBIAN_FRONTEND=noninteractive", *options]
        run_build([*container, *command])
