"""The log against real sockets, pipes and terminals."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import termios
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.events import Event
from healthd.systemd.journal import Journal, delayed, to_journal
from healthd.systemd.sink import JournalOutlet, Sink, StreamOutlet
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0
ROOT = Path(__file__).parents[2]


class Journald:
    """journald's end of its socket; it reads only when told to, like one that hangs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = self._listen()

    def _listen(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(str(self.path))
        sock.settimeout(PATIENCE)
        return sock

    def read(self, count: int) -> list[bytes]:
        return [self.socket.recv(1 << 20) for _ in range(count)]

    def go_away(self) -> None:
        self.socket.close()
        self.path.unlink()

    def come_back(self) -> None:
        self.socket = self._listen()


@pytest.fixture
def journald(tmp_path: Path) -> Iterator[Journald]:
    made = Journald(tmp_path / "socket")
    yield made
    made.socket.close()


@pytest.fixture
def outlet(journald: Journald) -> Iterator[JournalOutlet]:
    made = JournalOutlet(str(journald.path))
    yield made
    made.close()


def told(count: int) -> bytes:
    return b"(%d lost)" % count


def messages(records: list[bytes]) -> list[str]:
    return [re.findall(rb"MESSAGE=(.*)\n", record)[0].decode() for record in records]


def test_a_record_reaches_journald_as_one_datagram(journald: Journald, outlet: JournalOutlet) -> None:
    journal = Journal(FakeClock(), outlet, to_journal, late=delayed)

    journal.event(Event.HEALING_STARTED, "starting nginx.service", unit="nginx.service")

    (record,) = journald.read(1)
    assert record.startswith(b"MESSAGE=starting nginx.service\nPRIORITY=5\nSYSLOG_IDENTIFIER=healthd\n")
    assert record.endswith(b"\nHEALTHD_UNIT=nginx.service\n")


def test_while_journald_hangs_the_daemon_goes_on_and_no_record_is_lost(
    journald: Journald, outlet: JournalOutlet
) -> None:
    journal = Journal(FakeClock(), outlet, to_journal, late=delayed)

    for number in range(1500):
        journal.event(Event.HEALING_STARTED, f"record {number}")
    records = journald.read(1500)

    assert messages(records) == [f"record {number}" for number in range(1500)]
    assert b"HEALTHD_TIME" not in records[0]
    assert records[-1].endswith(b"HEALTHD_TIME=2023-11-14T22:13:20.000Z\n")
    assert journal.close() == 0


def test_what_comes_while_journald_is_away_arrives_when_it_is_back(journald: Journald, outlet: JournalOutlet) -> None:
    journal = Journal(FakeClock(), outlet, to_journal)

    journal.event(Event.HEALING_STARTED, "before")
    before = messages(journald.read(1))
    journald.go_away()
    journal.event(Event.HEALING_STARTED, "during")
    journald.come_back()
    during = messages(journald.read(1))
    journal.event(Event.HEALING_STARTED, "after")

    assert (before, during, messages(journald.read(1))) == (["before"], ["during"], ["after"])
    assert journal.close() == 0


def test_a_record_of_the_largest_size_fits_a_datagram(journald: Journald, outlet: JournalOutlet) -> None:
    outlet.send(b"x" * 128 * 1024, wait=False)

    assert len(journald.read(1)[0]) == 128 * 1024


@pytest.fixture
def pipe() -> Iterator[tuple[FileIO, FileIO]]:
    """The end to read from and the end to write to."""
    reader, writer = os.pipe()
    with FileIO(reader, "rb") as ours, FileIO(writer, "wb") as theirs:
        yield ours, theirs


def read_all(reader: FileIO, count: int) -> bytes:
    found = b""
    while len(found) < count:
        found += reader.read(1 << 16) or b""
    return found


def test_a_pipe_that_nobody_reads_stops_nobody_and_loses_nothing(pipe: tuple[FileIO, FileIO]) -> None:
    reader, writer = pipe
    sink = Sink(StreamOutlet(writer.fileno()), told)
    lines = b"".join(b"%04d %s\n" % (number, b"x" * 200) for number in range(1000))

    for line in lines.splitlines(keepends=True):
        sink.put(line)

    assert read_all(reader, len(lines)) == lines
    assert sink.close(deadline=PATIENCE) == 0


def test_a_line_longer_than_a_pipe_takes_in_one_piece_arrives_whole(pipe: tuple[FileIO, FileIO]) -> None:
    reader, writer = pipe
    sink = Sink(StreamOutlet(writer.fileno()), told)
    line = b"y" * 200_000 + b"\n"

    sink.put(line)

    assert read_all(reader, len(line)) == line
    assert sink.close(deadline=PATIENCE) == 0


def test_a_reader_that_has_gone_harms_nobody(pipe: tuple[FileIO, FileIO]) -> None:
    reader, writer = pipe
    reader.close()
    sink = Sink(StreamOutlet(writer.fileno()), told)

    sink.put(b"a\n")
    sink.put(b"b\n")

    assert sink.close(deadline=PATIENCE) == 2


def test_a_terminal_stopped_with_ctrl_s_stops_nobody() -> None:
    ours, theirs = pty.openpty()
    with FileIO(ours, "r+") as screen, FileIO(theirs, "r+") as terminal:
        sink = Sink(StreamOutlet(terminal.fileno()), told)

        termios.tcflow(terminal, termios.TCOOFF)
        for _ in range(100):
            sink.put(b"a line\n")
        termios.tcflow(terminal, termios.TCOON)

        assert read_all(screen, 800) == b"a line\r\n" * 100
        assert sink.close(deadline=PATIENCE) == 0


SCRIPT = """
import sys
sys.modules["rich"] = None
from healthd.clock import SystemClock
from healthd.events import Event
from healthd.systemd.journal import open_log
log = open_log(foreground={foreground}, clock=SystemClock())
log.event(Event.ISSUE_OPENED, "nginx.service is down", unit="nginx.service", component="services")
log.debug("a line for developers")
sys.exit(log.close())
"""


def environment(**extra: str) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "TERM": "xterm", "TZ": "UTC", **extra}


def on_a_pipe(**extra: str) -> list[str]:
    script = SCRIPT.format(foreground=True)
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, env=environment(**extra), stderr=subprocess.PIPE, text=True, check=True, timeout=PATIENCE
    )
    return done.stderr.splitlines()


def on_a_terminal(**extra: str) -> str:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SCRIPT.format(foreground=False)]
    try:
        subprocess.run(command, env=environment(**extra), stderr=theirs, check=True, timeout=PATIENCE)
        return os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_without_a_journal_and_a_terminal_records_are_lines_of_json() -> None:
    (line,) = on_a_pipe()

    record = json.loads(line)
    assert (record["level"], record["HEALTHD_EVENT"], record["HEALTHD_UNIT"]) == (
        "info",
        "issue_opened",
        "nginx.service",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_on_a_terminal_records_are_lines_with_colours() -> None:
    shown = on_a_terminal()

    assert "\x1b[" in shown
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d info     issue_opened     nginx.service is down component=services\r\n",
        re.sub(r"\x1b\[[0-9;]*m", "", shown),
    )


@pytest.mark.parametrize("extra", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(extra: dict[str, str]) -> None:
    assert "\x1b[" not in on_a_terminal(**extra)


def test_lines_for_developers_come_with_healthd_debug() -> None:
    lines = on_a_pipe(HEALTHD_DEBUG="1")

    assert [json.loads(line)["MESSAGE"] for line in lines] == ["nginx.service is down", "a line for developers"]
