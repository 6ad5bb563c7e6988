"""The seal on the polkit rule: a first line that tells that the rule is what the files of today would make it.

At nearly every start it is, and then nobody need parse the configuration. Every start waits for this module: it
imports neither `healthd.config` nor `pathlib` nor `typing`, which take five times as long as its own work.

A seal tells what is unchanged and guards against nobody: who may write the rule is root or polkitd already.
"""

# ruff: noqa: PTH118, PTH120 -- no pathlib, see above

from __future__ import annotations

import os
import stat
from hashlib import sha256

from healthd import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PUBLIC = 0o644
"""The mode of the rule: polkitd is not root and must read it."""

DROP_IN = "50-healthd.conf"
"""What a drop-in of healthd's is called in its folder."""

_FOLDERS = ("healthd-check@", "healthd-disk-cleanup.service.d", "healthd-dry-run@disk-cleanup.service.d")
_SIZE_MAX = 1024 * 1024  # no valid file of the configuration is larger
_MARK = b"// Sealed: "


def sources(config: str) -> tuple[bytes, ...]:
    """What a rule is made from: the version, and names and texts of the main file and of all in `conf.d` beside it.

    Nothing if one of them cannot be read: what is wrong with it is for the configuration's own reader to say.
    """
    parts = [__version__.encode()]
    try:
        for name in _names(config):
            parts += [os.fsencode(name), _text(name)]
    except OSError:
        return ()
    return tuple(parts)


def drop_ins(units: str) -> dict[str, bytes]:
    """The drop-ins that healthd wrote below this directory of unit files, by path. Raises `OSError`."""
    found = {}
    for entry in _folders(units):
        name = os.path.join(entry, DROP_IN)
        if os.path.lexists(name):
            found[name] = _text(name)
    return found


def parts(texts: dict[str, bytes]) -> tuple[bytes, ...]:
    """Drop-ins as a seal takes them in."""
    return tuple(part for name in sorted(texts) for part in (os.fsencode(name), texts[name]))


def _folders(units: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(units) if entry.name.startswith(_FOLDERS) and entry.is_dir()]
    except FileNotFoundError:
        return []


def sealed(rule: bytes, made_from: Iterable[bytes]) -> bytes:
    """The rule with its seal."""
    digest = sha256()
    for part in (rule, *made_from):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return _MARK + digest.hexdigest().encode() + b"\n" + rule


def unsealed(text: bytes) -> bytes:
    """The rule without its seal, if it has one."""
    return text.partition(b"\n")[2] if text.startswith(_MARK) else text


def is_current(output: str, made_from: Iterable[bytes]) -> bool:
    """Whether the rule in place was made from just this, nobody changed it since, and polkitd may read it."""
    try:
        text = read_rule(output)
    except OSError:
        return False  # whoever writes it anew meets the same error and says so
    return bool(text) and text == sealed(unsealed(text), made_from)


def read_rule(output: str) -> bytes:
    """The rule in place; nothing if there is none that polkitd may read. Raises `OSError`."""
    try:
        descriptor = os.open(output, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        return file.read() if stat.S_IMODE(os.fstat(descriptor).st_mode) == PUBLIC else b""


def _names(config: str) -> list[str]:
    """Every file that may be part of the configuration; one too many only costs a rule that is made for nothing."""
    folder = os.path.join(os.path.dirname(config), "conf.d")
    try:
        drop_ins = sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".toml"))
    except FileNotFoundError:
        drop_ins = []
    return [*([config] if os.path.lexists(config) else []), *drop_ins]


def _text(name: str) -> bytes:
    """What a file holds, as far as it may. Raises `OSError`."""
    # Not to hang on a pipe that somebody left there.
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{name} is not a regular file")
        return file.read(_SIZE_MAX + 1)
