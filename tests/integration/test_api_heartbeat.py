"""`healthctl heartbeat` on real sockets: any user may report in, and a job that does hears nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.cli.main import main
from tests.integration.api_server import serving
from tests.integration.test_api_healthctl import as_nobody, needs_root
from tests.unit.expose.fake_control import FakeControl

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@needs_root
def test_a_job_of_any_user_may_report_in(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(0o755)
    control = FakeControl()
    with serving(tmp_path, control) as served:
        done = as_nobody(served.path, "heartbeat", "backup")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [told[:2] for told in control.told] == [("heartbeat", "backup")]


def test_a_heartbeat_that_works_prints_nothing_so_that_cron_mails_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, FakeControl()) as served:
        assert main(["--socket", str(served.path), "heartbeat", "backup"]) == 0
        assert capsys.readouterr().out == ""
        assert main(["--socket", str(served.path), "heartbeat", "backup", "--json"]) == 0
        assert capsys.readouterr().out == '{"heard": "backup"}\n'


def test_a_heartbeat_that_nobody_waits_for_is_a_mistake_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(tmp_path, FakeControl()) as served:
        assert main(["--socket", str(served.path), "heartbeat", "web"]) == 1

    assert capsys.readouterr().err == "healthctl: no component of type heartbeat is called web (healthctl status)\n"
