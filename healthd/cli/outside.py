"""What shows of healthd from outside when it does not answer. It only looks at files: a client starts no programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthd.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Line = Mapping[str, Any]


def look(socket: Path, root: Path = Path("/")) -> list[Line]:
    """A line for each thing, shaped like the daemon's own, in the order in which a person would mend it."""
    booted = (root / "run/systemd/system").is_dir()
    if not booted:
        return [_off("systemd", "this host was not booted with systemd; start it by hand: healthd"), _configuration()]
    return [_unit(root), _enabled(root), _configuration(), _bus(root), _process(root), _socket(socket)]


def _unit(root: Path) -> Line:
    places = [root / place / "healthd.service" for place in ("etc/systemd/system", "usr/lib/systemd/system")]
    if places[0].is_symlink() and places[0].readlink() == Path("/dev/null"):
        return _broken("unit file", "healthd.service is masked", "systemctl unmask healthd")
    if not any(place.exists() for place in places):
        return _broken("unit file", "healthd.service is not installed", "apt install healthd")
    return _works("unit file", "healthd.service is installed")


def _enabled(root: Path) -> Line:
    # Made by `systemctl enable` and by the package.
    if (root / "etc/systemd/system/multi-user.target.wants/healthd.service").is_symlink():
        return _works("enabled", "it is started at boot")
    return _broken("enabled", "it is not started at boot", "systemctl enable healthd")


def _process(root: Path) -> Line:
    group = root / "sys/fs/cgroup/system.slice/healthd.service/cgroup.procs"
    try:
        pids = group.read_text().split()
    except OSError:
        pids = []
    if pids:
        return _broken("process", f"it runs (process {pids[0]}) and does not answer", "journalctl -u healthd")
    return _broken("process", "it does not run", "systemctl start healthd; journalctl -u healthd says how it ended")


def _socket(path: Path) -> Line:
    if path.is_socket():
        return _works("socket", f"{path} is there")
    return _broken("socket", f"{path} is missing", "systemctl start healthd makes it")


def _bus(root: Path) -> Line:
    if (root / "run/dbus/system_bus_socket").is_socket():
        return _works("bus", "the D-Bus system bus is there")
    return _broken("bus", "the D-Bus system bus is missing, so healthd cannot hear systemd", "systemctl start dbus")


def _configuration() -> Line:
    from healthd.cli.as_daemon import as_daemon
    from healthd.config import DEFAULT_FILE, load

    if os.access(DEFAULT_FILE, os.F_OK) and not os.access(DEFAULT_FILE, os.R_OK):
        return _off("configuration", "only root and the group healthd may read it", "sudo healthctl config check")
    try:
        with as_daemon():
            settings = load()
    except ConfigError as error:
        count = len(error.problems)
        first = f"{count} problems, the first: {error.problems[0]}" if count > 1 else str(error.problems[0])
        return _broken("configuration", first, "sudo healthctl config check")
    return _works("configuration", f"valid (files: {', '.join(settings.files) or 'none, so the defaults hold'})")


def _works(name: str, text: str) -> Line:
    return {"name": name, "ok": True, "text": text, "remedy": ""}


def _broken(name: str, text: str, remedy: str) -> Line:
    return {"name": name, "ok": False, "text": text, "remedy": remedy}


def _off(name: str, text: str, remedy: str = "") -> Line:
    return {"name": name, "ok": None, "text": text, "remedy": remedy}
