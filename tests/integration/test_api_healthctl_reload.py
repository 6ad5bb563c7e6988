"""`healthctl reload`, as people call it and as systemd does for them: outputs and exit codes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from healthd.errors import ConfigError, RequestError
from healthd.model import Problem
from tests.unit.expose.fake_control import FakeControl

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Run

PROBLEMS = [Problem(file="/etc/x.toml", line=line, key="a", found="1", allowed="2") for line in (3, 5)]


def test_reload_prints_every_line_of_what_was_wrong(run: Run) -> None:
    fault = RequestError(409, "/etc/x.toml:3: first\n/etc/x.toml:5: second", hint="the old configuration stays")

    code, out, err = run(FakeControl(fault=fault), "reload")

    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "healthctl: /etc/x.toml:3: first",
        "healthctl: /etc/x.toml:5: second",
        "healthctl: the old configuration stays",
    ]


def test_a_daemon_that_reloads_by_itself_has_every_problem_printed_once(run: Run) -> None:
    code, _, err = run(FakeControl(fault=ConfigError(PROBLEMS)), "reload")

    assert code == 1
    assert err.splitlines() == [
        "healthctl: /etc/x.toml:3: a: 1; 2",
        "healthctl: /etc/x.toml:5: a: 1; 2",
        "healthctl: the configuration is refused; the old one stays in force",
    ]


def test_apply_leaves_it_to_the_daemon_to_say_what_is_wrong(run: Run) -> None:
    assert run(FakeControl(fault=ConfigError(PROBLEMS)), "reload", "--apply") == (1, "", "")


def test_an_apply_that_does_not_come_to_the_configuration_says_why(run: Run) -> None:
    fault = RequestError(403, "only the service itself may apply the configuration", hint="healthctl reload")

    assert run(FakeControl(fault=fault), "reload", "--apply")[2].startswith("healthctl: only the service itself")


def test_apply_and_reload_are_two_orders(run: Run) -> None:
    control = FakeControl()

    assert run(control, "reload", "--apply") == (0, "", "")
    assert control.told == [("apply",)]
    assert run(control, "reload")[2] == "healthctl: warning: TLS is not in use\n"
    assert control.told[1][0] == "reload"


def test_an_apply_ends_with_the_daemon_whose_order_nobody_will_take(tmp_path: Path) -> None:
    path = tmp_path / "healthd.sock"
    apply = f"from healthd.cli.main import main; main(['--socket', {str(path)!r}, 'reload', '--apply'])"
    with socket.socket(socket.AF_UNIX) as held_by_systemd, subprocess.Popen(["sleep", "infinity"]) as daemon:
        held_by_systemd.bind(str(path))
        held_by_systemd.listen()
        env = {**os.environ, "MAINPID": str(daemon.pid)}
        with subprocess.Popen([sys.executable, "-c", apply], env=env, stderr=subprocess.PIPE, text=True) as healthctl:
            order, _ = held_by_systemd.accept()  # and no answer
            daemon.kill()
            _, err = healthctl.communicate(timeout=30)
            order.close()

    assert (healthctl.returncode, err) == (1, "healthctl: healthd ended before it had read its configuration\n")
