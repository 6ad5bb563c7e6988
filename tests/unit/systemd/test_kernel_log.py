"""How the journal is read for what the kernel complains of: once each, as far as an hour back, never without end."""

from __future__ import annotations

import asyncio
import os
import select
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import pytest

from healthd.errors import Absent, ReadError
from healthd.figures import FaultKind, KernelFault
from healthd.soon import waited
from healthd.systemd.kernel_log import MOST_AT_ONCE, KernelLog
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOT = "0" * 31 + "7"
NOW = 5000.0
DISK = "I/O error, dev sda, sector {}"
VICTIM = "oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/system.slice/hog.service,task=python3,pid=812,uid=0"
KILLED = "Memory cgroup out of memory: Killed process 812 (python3) total-vm:1kB"


@dataclass
class Journal:
    """Records as journald keeps them; `lost` makes every reading fail.

    `told` is what inotify is to the real one: readable once anything was written. `processed` counts the looks at it.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    lost: bool = False
    opened: int = 0
    told: int = field(default_factory=lambda: os.eventfd(0, os.EFD_NONBLOCK))
    reliable: bool = True
    processed: int = 0

    def __del__(self) -> None:
        os.close(self.told)

    def add(self, text: str, *, at: float = NOW, priority: int = 3, transport: str = "kernel") -> None:
        os.eventfd_write(self.told, 1)
        self.records.append(
            {
                "MESSAGE": text,
                "PRIORITY": str(priority),
                "_TRANSPORT": transport,
                "_BOOT_ID": BOOT,
                "__CURSOR": str(len(self.records)),
                "__MONOTONIC_TIMESTAMP": at,
            }
        )

    def reader(self) -> FakeReader:
        self.opened += 1
        return FakeReader(self)


class FakeReader:
    """As `healthd.systemd.records.Records`: matches of one field are alternatives, those of several must all hold."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._at = journal, -1
        self._matches: dict[str, set[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def add_match(self, **fields: str) -> None:
        for name, value in fields.items():
            self._matches.setdefault(name, set()).add(value)

    def fileno(self) -> int:
        return self._journal.told

    def get_events(self) -> int:
        return select.POLLIN

    def reliable_fd(self) -> bool:
        return self._journal.reliable

    def process(self) -> None:
        self._journal.processed += 1
        with suppress(BlockingIOError):
            os.eventfd_read(self._journal.told)
        if self._journal.lost:
            raise OSError("gone")

    def seek_tail(self) -> None:
        self._at = len(self._journal.records)

    def seek_realtime(self, _since: float) -> None:
        self._at = -1

    def seek_cursor(self, cursor: str) -> None:
        self._at = int(cursor)

    def get_next(self) -> Mapping[str, Any]:
        return self._step(1)

    def get_previous(self) -> Mapping[str, Any]:
        return self._step(-1)

    def _step(self, by: int) -> Mapping[str, Any]:
        at = self._at + by
        while 0 <= at < len(self._journal.records):
            if self._fits(self._journal.records[at]):
                self._at = at
                return self._journal.records[at]
            at += by
        return {}

    def _fits(self, record: Mapping[str, Any]) -> bool:
        return all(record[name] in values for name, values in self._matches.items())


@dataclass
class Bench:
    journal: Journal = field(default_factory=Journal)
    clock: FakeClock = field(default_factory=lambda: FakeClock(boot=NOW))

    def looks(self, *between: Any) -> list[tuple[KernelFault, ...]]:
        """What is seen at one look, and at one more after each of the things that are done between them."""

        async def play() -> list[tuple[KernelFault, ...]]:
            log = KernelLog(self.clock, self.journal.reader)
            seen = [await waited(log.faults())]
            for happen in between:
                happen()
                seen.append(await waited(log.faults()))
            return seen

        return asyncio.run(play())


def test_faults_are_counted_by_kind_and_subject_and_the_newest_comes_first() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1), at=NOW - 100)
    bench.journal.add("EXT4-fs error (device sda1): bad", at=NOW - 50)
    bench.journal.add(DISK.format(2), at=NOW - 10)
    bench.journal.add("a.out[9]: segfault at 0", at=NOW - 5)

    (faults,) = bench.looks()

    assert faults == (
        KernelFault(kind=FaultKind.IO_ERROR, subject="sda", text=DISK.format(2), at=NOW - 10, count=2),
        KernelFault(
            kind=FaultKind.FILE_SYSTEM, subject="sda1", text="EXT4-fs error (device sda1): bad", at=NOW - 50, count=1
        ),
    )


def test_only_grave_records_of_the_kernel_count() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1), priority=6)
    bench.journal.add(DISK.format(2), transport="syslog")

    assert bench.looks() == [()]


def test_a_record_is_counted_once_and_a_new_one_at_the_next_look() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1))

    counts = [[fault.count for fault in seen] for seen in bench.looks(int, lambda: bench.journal.add(DISK.format(2)))]

    assert counts == [[1], [1], [2]]
    assert bench.journal.opened == 1


def test_while_nobody_writes_to_the_journal_it_is_not_looked_at_again() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1))

    counts = [len(seen) for seen in bench.looks(int, lambda: bench.journal.add("nothing", priority=6), int)]

    assert counts == [1, 1, 1, 1]
    assert bench.journal.processed == 2


def test_where_nobody_can_say_whether_it_was_written_to_it_is_looked_at_each_time() -> None:
    bench = Bench(Journal(reliable=False))
    bench.journal.add(DISK.format(1))

    bench.looks(int, int)

    assert bench.journal.processed == 3


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1), at=NOW - 3000)

    first, second = bench.looks(lambda: bench.clock.advance(601))

    assert len(first) == 1
    assert second == ()


def test_a_process_that_was_killed_is_told_of_its_unit() -> None:
    bench = Bench()
    bench.journal.add(VICTIM, priority=6)
    bench.journal.add(KILLED)

    ((fault,),) = bench.looks()

    assert (fault.kind, fault.subject) == (FaultKind.OOM_KILL, "hog.service")
    assert fault.text == "killed python3 of hog.service for want of memory"


def test_a_process_of_no_unit_is_told_by_its_name() -> None:
    bench = Bench()
    bench.journal.add(KILLED)

    ((fault,),) = bench.looks()

    assert (fault.subject, fault.text) == ("python3", "killed python3 for want of memory")


def test_of_a_flood_so_much_is_read_and_the_rest_passed_over() -> None:
    bench = Bench()
    for sector in range(MOST_AT_ONCE + 100):
        bench.journal.add(DISK.format(sector))

    first, second, third = bench.looks(int, lambda: bench.journal.add(DISK.format("new")))

    assert [seen[0].count for seen in (first, second, third)] == [MOST_AT_ONCE, MOST_AT_ONCE, MOST_AT_ONCE + 1]
    assert third[0].text == DISK.format("new")


def test_a_journal_that_may_not_be_read_is_lacking() -> None:
    with pytest.raises(Absent, match="systemd-journal"):
        Bench().looks()


def test_a_journal_that_cannot_be_read_now_is_opened_anew() -> None:
    bench = Bench()
    bench.journal.add(DISK.format(1))
    bench.journal.lost = True
    with pytest.raises(ReadError, match="gone"):
        bench.looks()

    async def play() -> int:
        log = KernelLog(bench.clock, bench.journal.reader)
        with pytest.raises(ReadError):
            await waited(log.faults())
        bench.journal.lost = False
        return len(await waited(log.faults()))

    assert asyncio.run(play()) == 1
