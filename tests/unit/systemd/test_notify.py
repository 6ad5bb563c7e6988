from __future__ import annotations

import pytest

from healthd.systemd.notify import Notifier


@pytest.fixture(autouse=True)
def _without_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


def test_without_systemd_it_does_nothing_and_says_that_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    notifier = Notifier()

    notifier.ready("all is well")
    notifier.status("all is well")
    notifier.reloading()
    notifier.watchdog()
    notifier.stopping()

    assert notifier.said == "all is well"
    assert not notifier.active
    assert "NOTIFY_SOCKET" in notifier.why_off
    assert notifier.watchdog_interval() is None
