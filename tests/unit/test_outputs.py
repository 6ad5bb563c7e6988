"""What programs printed is read from where systemd wrote it, and nothing else is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.errors import ReadError
from healthd.outputs import Outputs

if TYPE_CHECKING:
    from pathlib import Path


def test_the_beginning_of_what_was_printed_is_read(tmp_path: Path) -> None:
    (tmp_path / "disk").write_bytes(b"fine \xff\n" + b"x" * 100_000)

    text = Outputs(tmp_path).read("disk")

    assert text.startswith("fine \ufffd\nxxx")
    assert len(text) == 64 * 1024


def test_what_is_not_there_or_no_file_is_an_error_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")

    for name in ("gone", "folder", "link"):
        with pytest.raises(ReadError, match="its output cannot be read"):
            Outputs(tmp_path).read(name)
    assert Outputs(tmp_path).read("pipe") == ""
