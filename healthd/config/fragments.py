"""The files of the configuration: which there are, what they hold, and on which line each key stands."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import tomli

from healthd.config.lines import DEPTH_MAX, TooDeep, line_of, scan
from healthd.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config.lines import KeyPath

DEFAULT_FILE: Final = Path("/etc/healthd/healthd.toml")
SIZE_MAX: Final = 1024 * 1024
_AT_LINE: Final = re.compile(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)$")
_LONG_NUMBER: Final = re.compile(r"[0-9_]{4000}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """One file, parsed. `order` is its place among the files, `public` says that everybody may read it."""

    file: str
    order: int
    table: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(repr=False)
    public: bool = False

    def line(self, path: KeyPath) -> int | None:
        """The line of a value of this file."""
        return line_of(self.lines, path)


class Unusable(ValueError):
    """A file that cannot be used; never leaves healthd.config."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def find(path: Path | None, changes: Mapping[Path, Path | None]) -> list[Path]:
    """The files to read, in order: the main one, if it exists or was named, then `conf.d/*.toml` beside it.

    `changes`: drop-ins in whose place another file is read, or none. Raises `Unusable` if the folder cannot be listed.
    """
    main = path or DEFAULT_FILE
    folder = main.parent / "conf.d"
    try:
        there = [one for one in folder.iterdir() if one.suffix == ".toml" and not one.name.startswith(".")]
    except FileNotFoundError:
        there = []
    except OSError as error:
        raise Unusable(_unreadable(folder, error)) from error
    to_read = dict(zip(there, there, strict=True)) | dict(changes)
    drop_ins = [file for _, file in sorted(to_read.items()) if file is not None]
    return [*([main] if path is not None or os.path.lexists(main) else []), *drop_ins]


def read(file: Path, order: int) -> Fragment:
    """Read and parse one file. Raises `Unusable`."""
    try:
        # Not to hang on a pipe that somebody left there.
        with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            if not stat.S_ISREG(mode):
                found = "it is not a regular file"
                raise Unusable(_problem(str(file), None, found, "put a file of TOML there, or nothing"))
            data = opened.read(SIZE_MAX + 1)
    except OSError as error:
        raise Unusable(_unreadable(file, error)) from error
    return parse(str(file), data, order, public=bool(mode & stat.S_IROTH))


def parse(file: str, data: bytes, order: int, *, public: bool = False) -> Fragment:
    """Parse the bytes of one file. Raises `Unusable`."""
    if len(data) > SIZE_MAX:
        raise Unusable(_problem(file, None, "the file is larger than 1 MiB", "is this really a configuration?"))
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise Unusable(_problem(file, line, found, "save the file as UTF-8")) from error
    try:
        lines = scan(text)
        return Fragment(file=file, order=order, table=tomli.loads(text), lines=lines, public=public)
    except TooDeep as error:
        found = f"tables, arrays or keys are nested deeper than {DEPTH_MAX}"
        raise Unusable(_problem(file, error.line, found, "no key of the configuration is that deep")) from error
    except ValueError as error:
        raise Unusable(_broken(file, text, str(error))) from error


def _broken(file: str, text: str, message: str) -> Problem:
    """What the parser says, with the line taken out of its words."""
    where = _AT_LINE.search(message)
    words = _AT_LINE.sub("", message)
    hint = 'texts stand in "quotes", a table\'s name in [brackets], and each key once'
    if where is None:
        # The one refusal that is not the parser's own: Python will not convert a number of thousands of digits.
        number = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, number.start()) + 1 if number else None
        return _problem(file, line, "this is not TOML: a number of thousands of digits", "no value is that large")
    line = int(where[1]) if where[1] else text.rstrip("\n").count("\n") + 1
    column = f" at column {where[2]}" if where[2] else " at the end of the file"
    return _problem(file, line, f"this is not TOML: {words[:1].lower()}{words[1:]}{column}", hint)


def _unreadable(file: Path, error: OSError) -> Problem:
    remedy = {
        FileNotFoundError: "create it, or name another with --config",
        PermissionError: "make it 0640 root:healthd, in folders that healthd may enter",
    }
    found = f"it cannot be read: {error.strerror or error}"
    return _problem(str(file), None, found, remedy.get(type(error), "see that it can be read, or take it away"))


def _problem(file: str, line: int | None, found: str, allowed: str) -> Problem:
    return Problem(file=file, line=line, key="", found=found, allowed=allowed)
