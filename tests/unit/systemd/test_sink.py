from __future__ import annotations

import errno
import os
import threading

import pytest

from healthd.systemd.sink import Sink
from tests.fakes import no_thread

PATIENCE = 10.0


def told(count: int) -> bytes:
    return b"(%d lost)" % count


class FakeOutlet:
    """Takes records while `open`; refuses with `error`, or, if that is None, lets those who may wait wait."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.open = True
        self.error: int | None = None
        self.refused = threading.Semaphore(0)
        self._opened = threading.Condition()
        self.threads: set[str] = set()

    def send(self, record: bytes, *, wait: bool) -> None:
        with self._opened:
            if not self.open:
                if self.error is not None or not wait:
                    self.refused.release()
                    code = self.error or errno.EAGAIN
                    raise OSError(code, os.strerror(code))
                assert self._opened.wait_for(lambda: self.open, PATIENCE)
            self.taken.append(record)
            self.threads.add(threading.current_thread().name)
            self._opened.notify_all()

    def set_open(self, open_: bool, error: int | None = None) -> None:
        with self._opened:
            self.open, self.error = open_, error
            self._opened.notify_all()

    def await_taken(self, count: int) -> None:
        with self._opened:
            assert self._opened.wait_for(lambda: len(self.taken) >= count, PATIENCE), self.taken


@pytest.fixture
def outlet() -> FakeOutlet:
    return FakeOutlet()


def test_what_is_taken_goes_out_at_once_on_the_callers_thread_and_no_other_is_started(outlet: FakeOutlet) -> None:
    before = threading.active_count()
    sink = Sink(outlet, told)

    sink.put(b"a")

    assert outlet.taken == [b"a"]
    assert outlet.threads == {threading.current_thread().name}
    assert threading.active_count() == before


def test_while_the_outlet_hangs_nobody_waits_and_afterwards_all_is_there_in_order(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told)
    outlet.set_open(False)

    for number in range(100):
        sink.put(b"%d" % number)
    outlet.set_open(True)
    undelivered = sink.close(deadline=PATIENCE)

    assert undelivered == 0
    assert outlet.taken == [b"%d" % number for number in range(100)]


def test_only_records_that_had_to_wait_carry_their_own_time(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told)

    sink.put(b"a", late=b"+")
    outlet.set_open(False)
    sink.put(b"b", late=b"+")
    outlet.set_open(True)
    sink.close(deadline=PATIENCE)

    assert outlet.taken == [b"a", b"b+"]


@pytest.mark.parametrize("gone", [errno.ECONNREFUSED, errno.ENOENT])
def test_while_the_outlet_is_away_records_are_kept(outlet: FakeOutlet, gone: int) -> None:
    sink = Sink(outlet, told)
    outlet.set_open(False, gone)

    sink.put(b"a")
    sink.put(b"b")
    outlet.refused.acquire(timeout=PATIENCE)
    outlet.refused.acquire(timeout=PATIENCE)
    outlet.set_open(True)
    undelivered = sink.close(deadline=PATIENCE)

    assert undelivered == 0
    assert outlet.taken == [b"a", b"b"]


def test_what_finds_no_room_is_counted_and_told_where_it_is_missing(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told, limit=3)
    outlet.set_open(False)

    for letter in (b"a", b"b", b"c", b"d", b"e"):
        sink.put(letter)
    outlet.set_open(True)
    outlet.await_taken(4)
    sink.close(deadline=PATIENCE)
    sink.put(b"f")

    assert outlet.taken == [b"a", b"b", b"c", b"(2 lost)", b"f"]


def test_a_record_that_is_never_taken_is_told_and_the_next_ones_arrive(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told)
    outlet.set_open(False, errno.EMSGSIZE)

    sink.put(b"monster")
    outlet.set_open(True)
    sink.put(b"a")
    sink.close(deadline=PATIENCE)
    sink.put(b"b")
    sink.close(deadline=PATIENCE)

    assert outlet.taken == [b"(1 lost)", b"a", b"b"]


def test_a_closed_pipe_ends_the_thread_and_is_not_tried_for_ever(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told)
    outlet.set_open(False, errno.EPIPE)

    sink.put(b"a")
    sink.put(b"b")

    assert sink.close(deadline=PATIENCE) == 2
    for thread in threading.enumerate():
        if thread.name == "healthd-log":
            thread.join(PATIENCE)
            assert not thread.is_alive()


def test_closing_waits_no_longer_than_it_may_and_says_how_much_is_lost(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told, limit=2)
    outlet.set_open(False)
    for letter in (b"a", b"b", b"c"):
        sink.put(letter)

    undelivered = sink.close(deadline=0.0)

    assert undelivered == 3
    outlet.set_open(True)
    assert sink.close(deadline=PATIENCE) == 0


def test_many_threads_lose_nothing(outlet: FakeOutlet) -> None:
    sink = Sink(outlet, told)

    def write(name: int) -> None:
        for number in range(200):
            sink.put(b"%d/%03d" % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    outlet.set_open(False)
    outlet.set_open(True)
    for thread in threads:
        thread.join()
    sink.close(deadline=PATIENCE)

    for name in range(4):
        own = [record for record in outlet.taken if record.startswith(b"%d/" % name)]
        assert own == [b"%d/%03d" % (name, number) for number in range(200)]


def without_a_thread(outlet: FakeOutlet, monkeypatch: pytest.MonkeyPatch) -> Sink:
    """A sink with a record that could neither go out at once nor have a thread; now both can be had."""
    outlet.set_open(False)
    sink = Sink(outlet, told)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        sink.put(b"a")
    outlet.set_open(True)
    return sink


def test_what_waits_without_a_thread_goes_out_with_the_next_record(
    outlet: FakeOutlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = without_a_thread(outlet, monkeypatch)
    sink.put(b"b")

    outlet.await_taken(2)
    assert outlet.taken == [b"a", b"b"]


def test_what_waits_without_a_thread_goes_out_at_the_end_at_the_latest(
    outlet: FakeOutlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = without_a_thread(outlet, monkeypatch)

    assert sink.close(deadline=PATIENCE) == 0
    assert outlet.taken == [b"a"]
