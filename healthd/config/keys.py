"""The file of API keys: a line a key, `NAME SCOPES HASH CREATED`. Names and hashes only; nobody can make a key of it.

A key is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess that a slow hash would protect
(docs/adr/0021-api-keys.md).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS_FILE: Final = Path("/etc/healthd/api-keys")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH: Final = re.compile(r"sha256:([0-9a-f]{64})")
_CREATED: Final = re.compile(r"[0-9TZ:-]{10,20}")
_BYTES: Final = 1024 * 1024


class Scope(StrEnum):
    """What a key is good for: CONTROL includes READ and HEARTBEAT."""

    READ = "read"
    CONTROL = "control"
    HEARTBEAT = "heartbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One entry. `digest` is the SHA-256 of the key in hexadecimal; `created` is a date, or "" where none is given."""

    name: str
    scopes: frozenset[Scope]
    digest: str
    created: str = ""

    def line(self) -> str:
        """The entry as it stands in the file."""
        scopes = ",".join(scope for scope in Scope if scope in self.scopes)
        return " ".join(filter(None, (self.name, scopes, f"sha256:{self.digest}", self.created)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a file holds. `problems` are sentences about lines that were left out, and about the file itself."""

    entries: tuple[ApiKey, ...] = ()
    problems: tuple[str, ...] = ()

    def find(self, presented: str) -> ApiKey | None:
        """The entry of this key. All entries are compared, each in constant time: time tells nothing of them."""
        from hashlib import sha256  # noqa: PLC0415  only a host with keys needs them
        from hmac import compare_digest  # noqa: PLC0415

        digest = sha256(presented.encode()).hexdigest()
        found = None
        for entry in self.entries:
            if compare_digest(entry.digest, digest):
                found = entry
        return found


def read_keys(path: Path = KEYS_FILE) -> Keys:
    """All that the file holds. One that is not there holds nothing, and one that cannot be read says so."""
    try:
        # Not to hang on a pipe that somebody left there.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_BYTES + 1) if stat.S_ISREG(mode) else None
    except FileNotFoundError:
        return Keys()
    except OSError as error:
        remedy = f"chown root:healthd {path}; chmod 0640 {path}"
        return Keys(problems=(f"{path}: cannot be read: {error.strerror or error}; no key is known ({remedy})",))
    if text is None or len(text) > _BYTES:
        return Keys(problems=(f"{path}: is not a file of keys; no key is known",))
    keys = parse(text.decode(errors="replace"), str(path))
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        said = f"{path}: others than its owner may write it, and so make keys (chmod 0640 {path})"
        return Keys(entries=keys.entries, problems=(said, *keys.problems))
    return keys


def parse(text: str, file: str) -> Keys:
    """The entries of a text; lines that are not understood are named by number and never shown."""
    entries: dict[str, ApiKey] = {}
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        entry = _entry(words)
        if isinstance(entry, str):
            problems.append(f"{file}:{number}: {entry}; the line is ignored")
        elif entry.name in entries:
            problems.append(f"{file}:{number}: a second key named {entry.name}; the line is ignored")
        else:
            entries[entry.name] = entry
    return Keys(entries=tuple(entries.values()), problems=tuple(problems))


def _entry(words: Sequence[str]) -> ApiKey | str:
    """One entry, or what is wrong with it."""
    if len(words) not in (3, 4):
        return "not NAME SCOPES HASH"
    name, scopes, digest, created = (*words, "")[:4]
    if not NAME.fullmatch(name):
        return "the name is not 1 to 64 letters, digits, dots, dashes and underscores"
    try:
        found = frozenset(map(Scope, scopes.split(",")))
    except ValueError:
        return f"the scopes are not of {', '.join(Scope)}"
    hashed = _HASH.fullmatch(digest)
    if hashed is None:
        return "the hash is not sha256: and 64 hexadecimal digits"
    if created and not _CREATED.fullmatch(created):
        return "the last word is not a date"
    return ApiKey(name=name, scopes=found, digest=hashed[1], created=created)
