"""Certificates in files: read in a thread, and taken apart again only when a file has changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.net.x509 import parse_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.probes import Certificate

SUFFIXES: Final = frozenset({".pem", ".crt", ".cer"})
"""What files in a directory are called that have certificates in them."""

SIZE_MAX: Final = 4 * 1024 * 1024

_Sign = tuple[int, int, int]


class KeptCertificates:
    """What was read of each file, with the sign by which it is seen that the file is another one now."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Sign, tuple[Certificate, ...]]] = {}

    def read(self, path: Path) -> Mapping[str, tuple[Certificate, ...]]:
        """The certificates at a path, by file; blocks. Raises OSError and ValueError.

        In a directory, what has no certificate in it or may not be read is passed over, unless that is all there is.
        """
        if not path.is_dir():
            return {str(path): self._file(path)}
        found: dict[str, tuple[Certificate, ...]] = {}
        failed: OSError | ValueError = ValueError("there is no certificate in it")
        for each in sorted(path.iterdir()):
            if each.suffix in SUFFIXES:
                try:
                    found[str(each)] = self._file(each)
                except (OSError, ValueError) as error:
                    failed = error
        if not found:
            raise failed
        return found

    def _file(self, path: Path) -> tuple[Certificate, ...]:
        state = path.stat()
        sign = (state.st_ino, state.st_mtime_ns, state.st_size)
        known = self._known.get(path)
        if known is not None and known[0] == sign:
            return known[1]
        if not path.is_file():
            raise ValueError("it is no file")
        if state.st_size > SIZE_MAX:
            raise ValueError(f"it is larger than {SIZE_MAX // 2**20} MiB")
        found = parse_all(path.read_bytes())
        self._known[path] = (sign, found)
        return found
