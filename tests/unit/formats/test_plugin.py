"""What monitoring plugins print, taken from real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.formats.plugin import NUMBERS_MAX, Printed, parse

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("output", "line", "numbers"),
    [
        (
            "LOAD OK - total load average: 0.12, 0.20, 0.18|load1=0.120;5.000;10.000;0; load5=0.200;4.000;6.000;0;\n",
            "LOAD OK - total load average: 0.12, 0.20, 0.18",
            [("load1", 0.12), ("load5", 0.2)],
        ),
        (
            "DISK OK - free space: / 3326 MiB (56%);| /=2643MiB;5948;5958;0;5968 /boot=68MB;88;93;0;98\n",
            "DISK OK - free space: / 3326 MiB (56%);",
            [("root_bytes", 2643 * 2.0**20), ("boot_bytes", 68 * 2.0**20)],
        ),
        (
            "HTTP OK: HTTP/1.1 200 OK - 1432 bytes in 0.003 s |time=0.003108s;;;0.000000;10.000000 size=1432B;;;0\n",
            "HTTP OK: HTTP/1.1 200 OK - 1432 bytes in 0.003 s",
            [("time_seconds", 0.003108), ("size_bytes", 1432.0)],
        ),
        ("PROCS OK: 42 processes | procs=42;;;0;\n", "PROCS OK: 42 processes", [("procs", 42.0)]),
        (
            "PING OK - rta 0.05 ms|rta=50us;;; pl=0%;20;60;0\n",
            "PING OK - rta 0.05 ms",
            [("rta_seconds", 5e-5), ("pl_percent", 0.0)],
        ),
        (
            "WARNING | 'it''s a label'=3c;1:2;@4:5\nlong text\nmore | second=4\nthird=5e1\n",
            "WARNING",
            [("it_s_a_label_total", 3.0), ("second", 4.0), ("third", 50.0)],
        ),
        ("no data at all", "no data at all", []),
        ("a=1 in the text is no number\n", "a=1 in the text is no number", []),
        ("| a=U b=1.2.3 c=1 c=2", "", [("c", 1.0)]),
        ("\n\n  first line\x07 with a bell\n", "first line  with a bell", []),
        ("", "", []),
    ],
)
def test_the_line_and_the_numbers_are_taken_apart(output: str, line: str, numbers: Sequence[tuple[str, float]]) -> None:
    printed = parse(output)

    assert printed.line == line
    assert [name for name, _ in printed.numbers] == [name for name, _ in numbers]
    assert [value for _, value in printed.numbers] == pytest.approx([value for _, value in numbers])


def test_a_flood_of_numbers_is_cut() -> None:
    assert len(parse("|" + " ".join(f"n{n}=1" for n in range(1000))).numbers) == NUMBERS_MAX


def test_a_line_without_end_is_cut() -> None:
    assert len(parse("x" * 10_000).line) == 500


@given(st.text())
def test_no_output_is_so_odd_that_it_breaks_the_parser(output: str) -> None:
    assert isinstance(parse(output), Printed)
    parse("|" + output)
