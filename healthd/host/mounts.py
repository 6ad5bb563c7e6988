"""Which of the mounts in /proc/1/mountinfo hold something that can fill up or turn read-only; pure.

The list of PID 1 is the true one: the daemon's own has mounts of its sandbox in it, and shows everything read-only
(ProtectSystem=strict). Whether a file system can be written to stands in the last field, its superblock's options.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_VIRTUAL_DISKS: Final = frozenset({"btrfs", "zfs", "bcachefs", "ubifs", "jffs2", "tmpfs"})
"""Local file systems that the kernel gives no block device's number."""

_MEDIA: Final = frozenset({"squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"})
"""What is full and read-only from the day it was made."""

_REMOTE: Final = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "ceph",
        "9p",
        "virtiofs",
        "afs",
        "coda",
        "lustre",
        "ocfs2",
        "gfs2",
        "orangefs",
    }
    | {"fuse"}
)
"""What another machine, or another process, must answer for. `fuse.*` is, too; `fuseblk` is a local disk (NTFS)."""

_OWN: Final = ("/proc", "/sys", "/run/systemd", "/run/credentials", "/run/host")
"""Where systemd and container managers mount what is nobody's to fill. So is /dev itself."""

_CANNOT_WRITE: Final = (b"ro", b"emergency_ro", b"shutdown")
"""What the superblock's options say of it; ext4's error handling no longer says "ro" (Linux 6.12)."""

_OCTAL: Final = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of mountinfo. `path` is the mount point in bytes, `root` what of the file system is mounted there.

    `name` is the mount point, fit to be shown; `remote`: to touch it is to wait for somebody else.
    `stops_on_error`: ext4 writes no more once it finds something broken (errors=remount-ro).
    """

    id: int
    parent: int
    device: str
    root: bytes
    path: bytes
    type: str
    name: str
    remote: bool
    writable: bool
    stops_on_error: bool


def chosen(mountinfo: bytes) -> tuple[Entry, ...]:
    """The mounts that count, each file system once, by mount point. Raises `ValueError` for what is no mountinfo."""
    entries = [_entry(line) for line in mountinfo.splitlines()]
    found: dict[str, Entry] = {}
    for entry in _visible(entries):
        if _counts(entry):
            key = entry.name if entry.remote else entry.device
            best = found.get(key)
            if best is None or _rank(entry) < _rank(best):
                found[key] = entry
    return tuple(sorted(found.values(), key=lambda entry: entry.path))


def meant_writable(fstab: str) -> Mapping[bytes, bool]:
    """By mount point, whether /etc/fstab wants what it mounts at boot to be writable."""
    wanted = {}
    for line in fstab.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[0].startswith("#"):
            continue
        options = fields[3].split(",")
        if "noauto" not in options:
            wanted[_decoded(os.fsencode(fields[1]))] = "ro" not in options
    return wanted


def _entry(line: bytes) -> Entry:
    before, separator, after = line.partition(b" - ")
    fields, last = before.split(b" "), after.split(b" ")
    if not separator or len(fields) < 6 or len(last) < 3:
        raise ValueError(f"not a line of mountinfo: {line!r}")
    options, path, type_ = last[2].split(b","), _decoded(fields[4]), last[0].decode("ascii", "replace")
    return Entry(
        id=int(fields[0]),
        parent=int(fields[1]),
        device=fields[2].decode("ascii"),
        root=_decoded(fields[3]),
        path=path,
        type=type_,
        name=_shown(path.decode("utf-8", "replace")),
        remote=type_ in _REMOTE or type_.startswith("fuse."),
        writable=not any(word in options for word in _CANNOT_WRITE),
        stops_on_error=b"errors=remount-ro" in options and last[0] == b"ext4",
    )


def _shown(text: str) -> str:
    return text if text.isprintable() else "".join(each if each.isprintable() else "?" for each in text)


def _decoded(path: bytes) -> bytes:
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), path) if b"\\" in path else path


def _counts(entry: Entry) -> bool:
    path = os.fsdecode(entry.path)
    if path == "/dev" or any(path == own or path.startswith(f"{own}/") for own in _OWN):
        return False
    if entry.type == "overlay":  # its space is that of the file system below; a container's root shows no other
        return path == "/"
    real = entry.type in _VIRTUAL_DISKS or not entry.device.startswith("0:")
    return entry.remote or (real and entry.type not in _MEDIA)


def _rank(entry: Entry) -> tuple[bool, int, bytes]:
    """Of several mounts of one file system the one that people call it by: all of it, near the root."""
    return entry.root != b"/", entry.path.count(b"/") if entry.path != b"/" else 0, entry.path


def _visible(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The mounts that their paths lead to: not those that another one was mounted over."""
    by_id = {entry.id: entry for entry in entries}
    below = {(entry.parent, entry.path): entry for entry in by_id.values() if entry.parent != entry.id}
    reached: dict[int, bool] = {}

    def reach(entry: Entry) -> bool:
        """Whether the path leads to the mount point, whatever is mounted upon this mount itself."""
        if entry.id not in reached:
            reached[entry.id] = True  # for a ring, which the kernel does not make
            parent = by_id.get(entry.parent)
            if parent is not None and parent is not entry:
                through = reach(parent) and (parent.path == entry.path or (parent.id, parent.path) not in below)
                reached[entry.id] = through and not _covered(entry, parent)
        return reached[entry.id]

    def _covered(entry: Entry, parent: Entry) -> bool:
        """Whether a sibling was mounted over a directory on the way."""
        above = entry.path.rpartition(b"/")[0]
        while len(above) > len(parent.path):
            if (parent.id, above) in below:
                return True
            above = above.rpartition(b"/")[0]
        return False

    return (entry for entry in by_id.values() if (entry.id, entry.path) not in below and reach(entry))
