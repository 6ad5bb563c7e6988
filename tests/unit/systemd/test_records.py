"""A record of the journal as healthd reads it: text where it is text, times in seconds."""

from __future__ import annotations

from typing import Any

from healthd.systemd.records import Records


class Journal(Records):
    """With these records, the newest last: what the library is asked is answered here."""

    def __init__(self, *records: dict[str, Any]) -> None:
        self._records, self._at = records, -1

    def _next(self, step: int) -> bool:
        self._at += step
        return 0 <= self._at < len(self._records)

    def _get_all(self) -> dict[str, Any]:
        return self._records[self._at]

    def _get_realtime(self) -> int:
        return 1_763_928_311_250_000 + self._at

    def _get_monotonic(self) -> tuple[int, bytes]:
        return 5_500_000, b"\x07" * 16

    def _get_cursor(self) -> str:
        return f"s={self._at}"


def test_a_record_has_its_fields_as_text_and_its_times_in_seconds() -> None:
    assert Journal({"MESSAGE": "zwölf".encode(), "_PID": b"12"}).get_next() == {
        "MESSAGE": "zwölf",
        "_PID": "12",
        "__REALTIME_TIMESTAMP": 1_763_928_311.25,
        "__MONOTONIC_TIMESTAMP": 5.5,
        "__CURSOR": "s=0",
    }


def test_what_is_no_text_stays_as_it_is() -> None:
    assert Journal({"MESSAGE": b"caf\xe9"}).get_next()["MESSAGE"] == b"caf\xe9"


def test_of_a_field_that_is_there_several_times_the_first_counts() -> None:
    assert Journal({"MESSAGE": [b"first", b"second"]}).get_next()["MESSAGE"] == "first"


def test_where_there_is_no_further_record_an_empty_one_is_told() -> None:
    journal = Journal({"MESSAGE": b"one"}, {"MESSAGE": b"two"})

    told = [journal.get_next(), journal.get_next(), journal.get_previous(), journal.get_previous()]

    assert [record.get("MESSAGE") for record in told] == ["one", "two", "one", None]
