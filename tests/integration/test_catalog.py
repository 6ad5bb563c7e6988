from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from healthd.events import MESSAGE_IDS

CATALOG = Path(__file__).parents[2] / "systemd/catalog/healthd.catalog"


def test_journalctl_takes_every_entry(tmp_path: Path) -> None:
    directory = tmp_path / "usr/lib/systemd/catalog"
    directory.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(CATALOG, directory)

    made = subprocess.run(
        ["journalctl", f"--root={tmp_path}", "--update-catalog"], capture_output=True, text=True, check=True
    )
    listed = subprocess.run(
        ["journalctl", f"--root={tmp_path}", "--list-catalog"], capture_output=True, text=True, check=True
    )

    assert made.stderr == ""
    assert {line.split()[0] for line in listed.stdout.splitlines()} == set(MESSAGE_IDS.values())
