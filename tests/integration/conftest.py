"""What tests of healthctl share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from healthd.cli.main import main
from tests.integration.api_server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.expose.fake_control import FakeControl

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """healthctl with these arguments against this daemon: exit code, stdout, stderr."""

    def healthctl(control: FakeControl, *argv: str) -> tuple[int, str, str]:
        with serving(tmp_path, control) as served:
            code = main(["--socket", str(served.path), *argv])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return healthctl
