"""What changed on the host: packages, the files of units, the configuration of what they are of, and reboots.

Nothing is opened but dpkg's own lists: of all other files the dates say enough, and those are told of files that
healthd may not read too.
"""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISDIR, S_ISLNK
from typing import TYPE_CHECKING, Final

from healthd.evidence import Change, ChangeKind, Changes
from healthd.host.dpkg import Dpkg, aliases

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthd.evidence import UnitFiles
    from healthd.host.dpkg import Package

MOST: Final = 40
"""Changes that are told; the newest, and those of the units themselves before others."""

_MOST_FILES: Final = 2000  # that are looked at below the folders of one unit
_DEPTH: Final = 4
_DPKG_SECONDS: Final = 1.0  # its log has no finer times
_VOLATILE: Final = ("/proc/", "/sys/", "/dev/", "/run/", "/var/run/", "/var/lib/", "/var/log/", "/tmp/")  # noqa: S108
# Folders of /etc that many packages share: what changes there need not have to do with this one.
_SHARED_BY_MANY: Final = """
    X11 alternatives apparmor.d apt avahi bash_completion.d binfmt.d ca-certificates cron.d cron.daily cron.hourly
    cron.monthly cron.weekly dbus-1 default dpkg environment.d init init.d insserv.conf.d kernel ld.so.conf.d logcheck
    logrotate.d modprobe.d modules-load.d network pam.d perl polkit-1 ppp profile.d python3 rc0.d rc1.d rc2.d rc3.d
    rc4.d rc5.d rc6.d rcS.d rsyslog.d runit security skel ssl sudoers.d sysctl.d systemd sysusers.d terminfo tmpfiles.d
    udev ufw update-motd.d xdg
"""
_SHARED: Final = frozenset(_SHARED_BY_MANY.split())


class ChangeFinder:
    """Looks below `root`; blocks."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root, self._dpkg = root, Dpkg(root)

    def find(self, units: Sequence[UnitFiles], since: float, until: float, booted: float | None) -> Changes:
        """What changed in this time (Unix seconds). `booted`: when the host did."""
        look = _Look(self._root, since, until)
        packages: tuple[Change, ...] = ()
        if self._dpkg.there:
            try:
                packages = self._dpkg.done(since, until)
            except OSError as error:
                look.missed.append(f"what dpkg did cannot be read: {error.strerror or error}")
        owners: set[str] = set()
        for unit in units:
            owner = self._owner(unit, look)
            owners |= {owner.name} if owner is not None else set()
            if owner is not None:
                # Its configuration stays as it is where somebody edited it.
                unpacked = set(owner.files) - set(owner.conffiles)
                look.came(unpacked, max((each.at for each in packages if each.what == owner.name), default=None))
            look.unit(unit)
            look.configuration(unit, owner)
        found = [*look.found, *(_owned(change, owners) for change in packages)]
        if booted is not None and since <= booted <= until:
            found.append(Change(at=booted, kind=ChangeKind.REBOOT, what="the host", text="was rebooted"))
        return Changes(found=_ranked(found), missed=tuple(look.missed))

    def _owner(self, unit: UnitFiles, look: _Look) -> Package | None:
        """The package that a unit comes from: by its unit file, or, if that is an administrator's, by its program."""
        if not self._dpkg.there:
            return None
        stem = _stem(unit.name)
        try:
            for path in (unit.fragment, *unit.programs[:1]):
                if path.startswith(("/usr/", "/lib/", "/opt/", "/bin/", "/sbin/")):
                    owner = self._dpkg.owner(path, (stem, Path(path).name))
                    if owner is not None:
                        return owner
        except OSError as error:
            look.missed.append(f"which package {unit.name} is of cannot be read: {error.strerror or error}")
        return None


class _Look:
    """One look at files. A file that is not there was not changed; one that cannot be looked at is said."""

    def __init__(self, root: Path, since: float, until: float) -> None:
        self._root, self._since, self._until = root, since, until
        self._seen: set[str] = set()
        self._came: dict[str, float] = {}
        self.found: list[Change] = []
        self.missed: list[str] = []

    def came(self, paths: Iterable[str], at: float | None) -> None:
        """These files came with a package at this time (None: not lately): that is told, and they need not be."""
        if at is not None:
            self._came |= {name: at + _DPKG_SECONDS for path in paths for name in aliases(path)}

    def unit(self, unit: UnitFiles) -> None:
        """What the unit is made of."""
        for path in (unit.fragment, *unit.drop_ins):
            self._file(path, ChangeKind.UNIT_FILE, " (systemd has not read it yet)" if unit.stale else "")
        for base in ("/etc/systemd/system", "/run/systemd/system"):
            for folder in dict.fromkeys((f"{unit.name}.d", f"{_template(unit.name)}.d")):
                self._folder(f"{base}/{folder}", unit.drop_ins)
        for path in unit.environment:
            self._file(path, ChangeKind.CONFIGURATION)
        for path in unit.programs:
            if path.startswith(_VOLATILE):
                continue
            kind = ChangeKind.CONFIGURATION if path.startswith("/etc/") else ChangeKind.PROGRAM
            for parent in Path(path).parents:  # who deploys by a link such as /srv/app/current touches no file
                self._link(str(parent), kind)
            self._file(path, kind)

    def configuration(self, unit: UnitFiles, owner: Package | None) -> None:
        """The configuration of what the unit is of: its conffiles, and all below the folders that are its own."""
        stem = _stem(unit.name)
        for path in owner.conffiles if owner is not None else ():
            self._file(path, ChangeKind.CONFIGURATION)
        own = {stem} if owner is None else {stem, owner.name, *_folders(owner.files)}
        left = _MOST_FILES
        for name in sorted(own - _SHARED):
            for path in self._below(f"/etc/{name}"):
                self._file(path, ChangeKind.CONFIGURATION)
                left -= 1
                if not left:
                    self.missed.append(f"not all of the configuration of {unit.name} was looked at: it is too much")
                    return

    def _file(self, path: str, kind: ChangeKind, more: str = "") -> None:
        if not path or path in self._seen:
            return
        if self._link(path, kind):
            return
        self._seen.add(path)
        try:
            found = (self._root / path.lstrip("/")).stat()
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self.missed.append(f"{path} cannot be looked at: {error.strerror or error}")
            return
        if S_ISDIR(found.st_mode):
            return
        # A package keeps the dates of its files, which are older than its installation.
        if self._since <= found.st_mtime <= self._until and found.st_mtime > self._came.get(path, 0.0):
            self._note(found.st_mtime, kind, path, f"was edited{more}")
        elif self._since <= found.st_ctime <= self._until and path not in self._came:
            self._note(found.st_ctime, kind, path, f"was replaced, or its owner or mode changed{more}")

    def _link(self, path: str, kind: ChangeKind) -> bool:
        """Whether this is a symbolic link that was made in this time."""
        if path in self._seen:
            return False
        try:
            found = (self._root / path.lstrip("/")).lstat()
        except OSError:
            return False
        if not S_ISLNK(found.st_mode) or not self._since <= found.st_mtime <= self._until:
            return False
        self._seen.add(path)
        self._note(found.st_mtime, kind, path, "was made to lead elsewhere")
        return True

    def _folder(self, path: str, drop_ins: Sequence[str]) -> None:
        """A folder of drop-ins from which one has gone, or that has one which systemd does not know yet."""
        try:
            found = (self._root / path.lstrip("/")).stat()
        except OSError:
            return
        known = any(change.what in drop_ins and change.what.startswith(f"{path}/") for change in self.found)
        if self._since <= found.st_mtime <= self._until and not known:
            self._note(found.st_mtime, ChangeKind.UNIT_FILE, path, "had a file put in or taken out")

    def _note(self, at: float, kind: ChangeKind, path: str, text: str) -> None:
        self.found.append(Change(at=at, kind=kind, what=path, text=text, own=True))

    def _below(self, path: str) -> Iterator[str]:
        """The files below a folder, as far as they may be looked at."""
        top = self._root / path.lstrip("/")
        if not top.is_dir():
            return
        denied: list[OSError] = []
        for folder, folders, files in os.walk(top, onerror=denied.append):
            if folder.removeprefix(str(top)).count("/") >= _DEPTH:
                folders.clear()
            place = "/" + os.path.relpath(folder, self._root)
            yield from (f"{place}/{name}" for name in sorted(files))
        for error in denied:
            where = "/" + os.path.relpath(error.filename, self._root)
            self.missed.append(f"{where} cannot be looked into: {error.strerror}")


def _stem(unit: str) -> str:
    """`postgresql` of postgresql@15-main.service."""
    return unit.rpartition(".")[0].partition("@")[0]


def _template(unit: str) -> str:
    """`postgresql@.service` of postgresql@15-main.service; of any other unit its own name."""
    name, _, kind = unit.rpartition(".")
    stem, at, _ = name.partition("@")
    return f"{stem}{at}.{kind}"


def _folders(files: Iterable[str]) -> set[str]:
    """The names of the folders of /etc that a package has something in."""
    return {path.split("/")[2] for path in files if path.startswith("/etc/") and path.count("/") > 2}


def _owned(change: Change, owners: set[str]) -> Change:
    own = change.what in owners
    return Change(at=change.at, kind=change.kind, what=change.what, text=change.text, own=own) if own else change


def _ranked(found: Sequence[Change]) -> tuple[Change, ...]:
    """Of one second, which is all that dpkg's log tells, what came last comes first."""
    newest_first = found[::-1]
    ordered = sorted(newest_first, key=lambda change: (not change.own, -change.at))
    return tuple(ordered[:MOST])
