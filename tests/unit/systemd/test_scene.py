"""What the journal has of a run: its last lines and its core dump, and never without end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import pytest

from healthd.evidence import CoreDump, Line, Scene
from healthd.systemd.scene import LINE_CHARS, LINES, Scenes

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN = "0123456789abcdef0123456789abcdef"
NOW = 1_763_928_311.0
CORE = "fc2e22bc6ee647b6b90729ab34a250b1"


class FakeReader:
    """As `healthd.systemd.records.Records`: has the records that fit one of its groups of matches."""

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        self._records, self._at = records, 0
        self._groups: list[dict[str, str]] = [{}]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def add_match(self, **fields: str) -> None:
        self._groups[-1].update(fields)

    def add_disjunction(self) -> None:
        self._groups.append({})

    def seek_tail(self) -> None:
        self._at = len(self._records)

    def seek_realtime(self, wall: float) -> None:
        self._at = sum(record["__REALTIME_TIMESTAMP"] < wall for record in self._records)

    def get_previous(self) -> dict[str, Any]:
        while self._at:
            self._at -= 1
            record = self._records[self._at]
            if any(group.items() <= record.items() for group in self._groups):
                return record
        return {}


def record(message: object, *, at: float = NOW, **fields: object) -> dict[str, Any]:
    return {"MESSAGE": message, "__REALTIME_TIMESTAMP": at, **fields}


def written(message: object, **fields: Any) -> dict[str, Any]:
    return record(message, **{"_SYSTEMD_INVOCATION_ID": RUN, "_COMM": "web", **fields})


def by_systemd(message: str, *, run: str = RUN, **fields: Any) -> dict[str, Any]:
    own = {"UNIT": "web.service", "INVOCATION_ID": run, "_PID": "1", "SYSLOG_IDENTIFIER": "systemd"}
    return record(message, **{**own, **fields})


def nameless(message: str, **fields: Any) -> dict[str, Any]:
    """What a process wrote that had ended when journald turned to it."""
    return record(message, **{"_SYSTEMD_UNIT": "web.service", "_PID": "812", **fields})


def texts(*records: dict[str, Any]) -> list[str]:
    """The lines of the run."""
    told = scene(*records)
    assert told is not None
    return [line.text for line in told.lines]


def dumped(run: str, **fields: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "MESSAGE_ID": CORE,
        "_SYSTEMD_UNIT": "systemd-coredump@3-812-0.service",
        "COREDUMP_UNIT": "web.service",
        "COREDUMP_ENVIRON": f"A=1\nINVOCATION_ID={run}\nB=2",
        "COREDUMP_PID": 812,
        "COREDUMP_SIGNAL_NAME": "SIGSEGV",
        "COREDUMP_EXE": "/usr/sbin/web",
        "COREDUMP_FILENAME": "/var/lib/systemd/coredump/core.web.zst",
    }
    return record("Process 812 (web) dumped core.", **{**whole, **fields})


def scene(*records: dict[str, Any], run: str = RUN) -> Scene | None:
    return asyncio.run(Scenes(lambda: FakeReader(records)).of("web.service", run))


def test_the_last_lines_of_the_run_and_of_systemd_about_it_are_told_oldest_first() -> None:
    told = scene(
        written("ready", at=NOW - 2),
        written("of another run", _SYSTEMD_INVOCATION_ID="ff" * 16),
        written("it breaks\nfor good", at=NOW - 1, SYSLOG_IDENTIFIER="webd"),
        by_systemd("Main process exited"),
    )

    assert told == Scene(
        lines=(
            Line(at=NOW - 2, source="web", text="ready"),
            Line(at=NOW - 1, source="webd", text="it breaks"),
            Line(at=NOW - 1, source="webd", text="for good"),
            Line(at=NOW, source="systemd", text="Main process exited"),
        )
    )


def test_lines_of_the_unit_that_do_not_tell_their_run_belong_to_the_one_that_there_was() -> None:
    told = texts(
        by_systemd("Failed", run="ee" * 16, at=NOW - 60),
        nameless("before it", at=NOW - 31),
        by_systemd("Started", at=NOW - 30),
        written("ready", at=NOW - 20),
        nameless("while it ran", at=NOW - 10),
        by_systemd("Failed"),
        nameless("just after it", at=NOW + 1.9),
        nameless("long after it", at=NOW + 2.1),
    )

    assert told == ["Started", "ready", "while it ran", "Failed", "just after it"]


def test_a_line_that_does_not_tell_its_run_belongs_to_one_of_two_at_most() -> None:
    told = texts(
        by_systemd("Started", at=NOW - 3),
        by_systemd("Failed"),
        nameless("the first", at=NOW + 0.1),
        by_systemd("Started", run="ff" * 16, at=NOW + 0.2),
        nameless("of the next", at=NOW + 0.3),
        written("of the next", _SYSTEMD_INVOCATION_ID="ff" * 16, _SYSTEMD_UNIT="web.service", at=NOW + 0.4),
    )

    assert told == ["Started", "Failed", "the first"]


def test_what_others_wrote_meanwhile_and_what_a_run_left_of_which_nothing_else_is_known_is_not_told() -> None:
    assert texts(by_systemd("Failed"), nameless("x", _SYSTEMD_UNIT="other.service")) == ["Failed"]
    assert texts(nameless("x")) == []


def test_of_very_many_lines_that_do_not_tell_their_run_the_last_are_read() -> None:
    told = texts(by_systemd("Started", at=NOW - 0.5), *(nameless(f"{n}", at=NOW + n / 1000) for n in range(1000)))

    assert told == [f"{n}" for n in range(1000 - LINES, 1000)]


def test_no_more_is_read_than_somebody_can_look_at() -> None:
    told = scene(*(written(f"{n} " + "x" * 2000) for n in range(200)))

    assert told is not None
    assert [line.text[:3] for line in told.lines] == [str(n) for n in range(200 - LINES, 200)]
    assert {len(line.text) for line in told.lines} == {LINE_CHARS}


def test_bytes_that_are_no_text_are_told_as_well_as_can_be() -> None:
    told = scene(written(b"caf\xe9"))

    assert told is not None
    assert told.lines[0].text == "caf\N{REPLACEMENT CHARACTER}"


def test_the_core_dump_of_this_run_is_found_among_those_of_others() -> None:
    told = scene(dumped(RUN), dumped("ff" * 16, COREDUMP_PID=999))

    assert told is not None
    assert told.core == CoreDump(
        at=NOW, pid=812, signal="SIGSEGV", program="/usr/sbin/web", file="/var/lib/systemd/coredump/core.web.zst"
    )


@pytest.mark.parametrize(
    ("who", "believed"),
    [
        ({"_UID": "0", "_SYSTEMD_UNIT": "session-1.scope"}, True),
        ({"_UID": "1000", "_SYSTEMD_UNIT": "session-1.scope"}, False),
        ({"_SYSTEMD_UNIT": "web.service"}, False),
    ],
)
def test_a_dump_that_anybody_may_have_made_up_is_passed_over(who: dict[str, str], believed: bool) -> None:
    told = scene(dumped(RUN, **who))

    assert told is not None
    assert (told.core is not None) is believed


def test_dumps_that_anybody_made_up_do_not_hide_the_true_one() -> None:
    forged = (dumped(RUN, _UID="1000", _SYSTEMD_UNIT="session-1.scope", COREDUMP_PID=1) for _ in range(50))

    told = scene(dumped(RUN), *forged)

    assert told is not None
    assert told.core is not None
    assert told.core.pid == 812


def test_a_number_that_is_none_does_not_keep_the_rest_back() -> None:
    told = scene(written("ready"), dumped(RUN, COREDUMP_PID="many"))

    assert told is not None
    assert told.core is not None
    assert (told.core.pid, told.core.signal) == (0, "SIGSEGV")


def test_of_very_many_dumps_only_the_newest_are_looked_at() -> None:
    told = scene(dumped(RUN), *(dumped("ff" * 16) for _ in range(50)))

    assert told is not None
    assert told.core is None


@pytest.mark.parametrize("error", [OSError("gone"), ImportError("no systemd-python")])
def test_without_a_journal_nothing_can_be_told(error: Exception) -> None:
    def fails() -> FakeReader:
        raise error

    assert asyncio.run(Scenes(fails).of("web.service", RUN)) is None


def test_of_a_unit_that_never_ran_nothing_can_be_told() -> None:
    assert scene(written("x"), run="") is None
