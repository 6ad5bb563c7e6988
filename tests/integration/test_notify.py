from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from healthd.systemd.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Manager:
    """The end of sd_notify that PID 1 holds."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    def heard(self) -> list[dict[str, str]]:
        """Every message so far, as assignments."""
        messages: list[dict[str, str]] = []
        while True:
            try:
                data = self.socket.recv(4096)
            except BlockingIOError:
                return messages
            messages.append(dict(line.split("=", 1) for line in data.decode("utf-8").splitlines()))


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@healthd-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(address.replace("@", "\0"))
        yield Manager(sock)


@pytest.fixture
def notifier(manager: Manager) -> Iterator[Notifier]:
    made = Notifier()
    yield made
    made.close()


def test_a_life_from_ready_to_stopping(manager: Manager, notifier: Notifier) -> None:
    notifier.ready("healthy, score 1.00")
    notifier.status("degraded, score 0.60")
    notifier.reloading()
    notifier.ready("healthy, score 1.00")
    notifier.watchdog()
    notifier.stopping()

    ready, status, reloading, again, watchdog, stopping = manager.heard()
    assert notifier.active
    assert ready == {"READY": "1", "STATUS": "healthy, score 1.00"}
    assert status == {"STATUS": "degraded, score 0.60"}
    assert reloading["RELOADING"] == "1"
    assert int(reloading["MONOTONIC_USEC"]) > 0
    assert again == ready
    assert watchdog == {"WATCHDOG": "1"}
    assert stopping == {"STOPPING": "1"}


def test_a_status_that_says_nothing_new_is_not_sent(manager: Manager, notifier: Notifier) -> None:
    notifier.ready("healthy")
    notifier.status("healthy")
    notifier.status("degraded")
    notifier.status("degraded")

    assert [message["STATUS"] for message in manager.heard()] == ["healthy", "degraded"]


def test_a_status_arrives_whatever_its_letters_and_as_one_line(manager: Manager, notifier: Notifier) -> None:
    notifier.status("café ☂ is\ndown\tREADY=1")

    assert manager.heard() == [{"STATUS": "caf? ? is down READY=1"}]


def test_a_manager_that_does_not_listen_stops_nothing_and_hears_later_what_it_must_know(
    manager: Manager, notifier: Notifier
) -> None:
    sent = 0
    while not notifier.owes:
        notifier.status(f"status {sent}")
        sent += 1
        assert sent < 100_000
    notifier.ready("healthy")
    notifier.watchdog()

    filled = manager.heard()
    notifier.watchdog()

    assert len(filled) == sent - 1
    assert manager.heard() == [
        {"STATUS": f"status {sent - 1}"},
        {"READY": "1", "STATUS": "healthy"},
        {"WATCHDOG": "1"},
    ]


def test_of_the_statuses_that_a_busy_manager_missed_only_the_newest_is_kept(
    manager: Manager, notifier: Notifier
) -> None:
    sent = 0
    while not notifier.owes:
        notifier.status(f"status {sent}")
        sent += 1
    for number in range(1000):
        notifier.status(f"late {number}")

    manager.heard()
    notifier.watchdog()

    assert manager.heard() == [{"STATUS": "late 999"}, {"WATCHDOG": "1"}]


@pytest.mark.parametrize(
    ("limit", "pid", "expected"),
    [
        ("30000000", None, 30.0),
        ("500000", "self", 0.5),
        ("30000000", "1", None),
        ("0", None, None),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_the_watchdog_is_fed_only_if_systemd_watches_this_process(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch, limit: str | None, pid: str | None, expected: float | None
) -> None:
    if limit is not None:
        monkeypatch.setenv("WATCHDOG_USEC", limit)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "self" else pid)

    assert notifier.watchdog_interval() == expected


# The library leaves the socket that it could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_manager_that_cannot_be_reached_is_off_with_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = str(tmp_path / "nobody")
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    notifier = Notifier()

    assert not notifier.active
    assert notifier.why_off == f"cannot reach systemd at {address}: No such file or directory"
