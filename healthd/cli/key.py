"""`healthctl key`: make, list and revoke the keys of the API. Only hashes are kept, so a key is shown once."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from healthd.cli.client import Client, Refused, Unreachable
from healthd.cli.inplace import put_in_place
from healthd.cli.status import show
from healthd.cli.text import plain
from healthd.config.keys import KEYS_FILE, NAME, ApiKey, Scope, read_keys
from healthd.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from pathlib import Path

_BYTES: Final = 32
_MODE: Final = 0o640
_GROUP: Final = "healthd"
_PREFIX: Final = "healthd_"


def run(args: Namespace) -> int:
    """Carry out `key add`, `key list` or `key revoke`; 1 if the running daemon did not take the change over."""
    match args.part:
        case "add":
            return _add(args)
        case "revoke":
            return _revoke(args)
        case _:
            return _list(args)


def _add(args: Namespace) -> int:
    import base64
    from hashlib import sha256

    if not NAME.fullmatch(args.name):
        hint = "1 to 64 letters, digits, dots, dashes and underscores; not a dash or dot in front"
        raise RequestError(400, f"{args.name} cannot be the name of a key", hint=hint)
    key = _PREFIX + base64.urlsafe_b64encode(os.urandom(_BYTES)).rstrip(b"=").decode()
    scope, created = Scope(args.scope), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    digest = sha256(key.encode()).hexdigest()
    entry = ApiKey(name=args.name, scopes=frozenset({scope}), digest=digest, created=created)
    with _edited(args, KEYS_FILE) as lines:
        if any(_named(line, args.name) for line in lines):
            hint = f"healthctl key revoke {args.name}, or take another name"
            raise RequestError(409, f"there is a key named {args.name} already", hint=hint)
        lines.append(entry.line())
    taken, said = _tell_daemon(args)
    value = {"name": entry.name, "scopes": [scope], "created": created, "key": key}
    show(args, value, [f"The key {entry.name}, scope {scope}, is added{said}.", "It is shown this once:", key])
    return 0 if taken else 1


def _revoke(args: Namespace) -> int:
    with _edited(args, KEYS_FILE) as lines:
        kept = [line for line in lines if not _named(line, args.name)]
        if len(kept) == len(lines):
            raise RequestError(404, f"there is no key named {args.name}", hint="healthctl key list")
        lines[:] = kept
    taken, said = _tell_daemon(args)
    show(args, {"revoked": args.name}, [f"The key {args.name} is revoked{said}."])
    return 0 if taken else 1


def _list(args: Namespace) -> int:
    if KEYS_FILE.exists() and not os.access(KEYS_FILE, os.R_OK):
        raise RequestError(403, "only root and the group healthd may see the keys", hint="sudo healthctl key list")
    keys = read_keys(KEYS_FILE)
    for problem in keys.problems:
        print(f"healthctl: {plain(problem)}", file=sys.stderr)
    entries = [(key.name, [scope for scope in Scope if scope in key.scopes], key.created) for key in keys.entries]
    value = [{"name": name, "scopes": scopes, "created": created or None} for name, scopes, created in entries]
    width = max((len(name) for name, _, _ in entries), default=0)
    lines = [f"{name:{width}}  {','.join(scopes):9}  {created}".rstrip() for name, scopes, created in entries]
    show(args, value, lines or ["There are no keys; healthctl key add NAME makes one."])
    return 1 if keys.problems else 0


def _named(line: str, name: str) -> bool:
    return line.split()[:1] == [name]


def _tell_daemon(args: Namespace) -> tuple[bool, str]:
    """Have a daemon that runs read the file; whether it did, or need not, and how to say so."""
    try:
        Client(args.socket).post("/api/v1/reload", {})
    except Unreachable:
        return True, "; healthd does not run, and reads it at its next start"
    except Refused as refusal:
        print(f"healthctl: healthd has not taken it over: {plain(str(refusal))} (healthctl reload)", file=sys.stderr)
        return False, ", but healthd has not taken it over yet"
    return True, ", and healthd has taken it over"


@contextmanager
def _edited(args: Namespace, path: Path) -> Iterator[list[str]]:
    """The lines of the file, to be changed; what they are at the end is put in its place in one step."""
    import fcntl

    if os.geteuid() != 0:
        hint = f"sudo healthctl key {args.part} {args.name}"
        raise RequestError(403, "only root may change the keys", hint=hint)
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)  # of two who edit at once, neither loses the other's key
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            yield lines
            put_in_place(path, "".join(f"{line}\n" for line in lines).encode(), mode=_MODE, group=_group())
            os.fsync(directory)
        finally:
            os.close(directory)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise RequestError(500, f"{path} cannot be changed: {reason}", hint=f"ls -ld {path.parent} {path}") from None


def _group() -> int:
    """healthd's, which is to read the file."""
    import grp

    try:
        return grp.getgrnam(_GROUP).gr_gid
    except KeyError:  # healthd is not installed as a package
        return 0
