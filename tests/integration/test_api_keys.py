"""`healthctl key` beside a daemon that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.cli.main import main
from healthd.errors import RequestError
from tests.integration.api_server import serving
from tests.unit.expose.fake_control import FakeControl

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_running_daemon_takes_a_new_key_over_or_it_is_said_that_it_did_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.cli.key.KEYS_FILE", tmp_path / "api-keys")
    monkeypatch.setattr("healthd.cli.key._GROUP", "no-such-group")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.fchown", lambda *_: None)
    control = FakeControl()
    with serving(tmp_path, control) as served:
        assert main(["key", "add", "x", "--socket", str(served.path)]) == 0
        assert "and healthd has taken it over." in capsys.readouterr().out
        assert [told[0] for told in control.told] == ["reload"]
        control.fault = RequestError(422, "the reload ended with 'failed'")
        assert main(["key", "revoke", "x", "--socket", str(served.path)]) == 1
        assert "healthd has not taken it over: the reload ended" in capsys.readouterr().err
