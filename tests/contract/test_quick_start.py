"""What every start waits for before the daemon: write-policy, when there is nothing to write."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from healthd.cli.policy import main
from tests.contract.source import ROOT, within

if TYPE_CHECKING:
    from pathlib import Path

SLOW: Final = ("healthd.config", "healthd.model", "argparse", "pathlib", "typing", "re", "enum", "dataclasses", "json")

# Without site, which may load anything on the machine of a developer; in the place of what systemd calls it with.
PROGRAM: Final = """
import sys
root, config, rule = sys.argv[1:]
sys.path.insert(0, root)
from healthd.cli import policy
policy.CONFIG_FILE, policy.RULE_FILE = config, rule
assert policy.main(["--at-start"]) == 0
print(*sys.modules)
"""


def test_a_start_that_changes_nothing_imports_next_to_nothing(tmp_path: Path) -> None:
    config, rule = tmp_path / "healthd.toml", tmp_path / "60.rules"
    config.touch()
    main(["--at-start", "--config", str(config), "--output", str(rule)])

    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(ROOT), str(config), str(rule)]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    assert "healthd.cli.policy" in loaded
    assert [name for name in loaded if within(name, *SLOW)] == []
