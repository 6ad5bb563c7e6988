"""Small files of the kernel, read again and again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthd.host.files import MOST, Kept

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_that_is_kept_says_what_is_in_it_now_and_is_opened_once(tmp_path: Path) -> None:
    kept, file = Kept(tmp_path), tmp_path / "stat"
    seen, open_files = [], 0
    for text in ("cpu 1\n", "cpu 22\n", "cpu 3\n"):
        file.write_text(text)
        seen.append(kept.read("stat"))
        open_files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    assert seen == [b"cpu 1\n", b"cpu 22\n", b"cpu 3\n"]
    del kept
    assert len(os.listdir("/proc/self/fd")) == open_files - 1  # noqa: PTH208


def test_of_a_long_file_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / "stat").write_bytes(b"x" * 2 * MOST)

    assert Kept(tmp_path).read("stat") == b"x" * MOST


def test_of_a_file_of_many_lines_as_much_is_read_as_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "routes").write_bytes(b"y" * 3 * MOST)

    assert Kept(tmp_path).read("routes", 100 * MOST) == b"y" * 3 * MOST
    assert Kept(tmp_path).read("routes", MOST + 1) == b"y" * 2 * MOST


def test_a_file_that_is_not_there_is_an_error_and_is_looked_for_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with pytest.raises(FileNotFoundError):
        kept.read("stat")
    (tmp_path / "stat").write_text("here")

    assert kept.read("stat") == b"here"
