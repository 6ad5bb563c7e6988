"""Every command of the guides for operators, run as it stands there, in its order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.system.ward import Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.throwaway import Release

DOCS: Final = Path(__file__).parents[2] / "docs"
INDENTED: Final = re.compile(r"^    (\S.*?)(?: # .*)?$", re.MULTILINE)
INLINE: Final = re.compile(r"`((?:healthctl|sudo|journalctl|systemctl|getent) [^`]+)`")
GUIDES: Final = {
    "operating.md": INDENTED,
    "troubleshooting.md": INDENTED,
    "production.md": INLINE,
    "alerting.md": INDENTED,
}
AN_ANSWER: Final = re.compile(r"(sudo )?healthctl (status|check|alert test|heal .*--dry-run)\b")
"""These end with how things are, or what was answered."""


def commands(guide: str) -> list[str]:
    """In their order; what is fenced is output, or for another place than a host with healthd."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [command.replace("\n", " ") for command in GUIDES[guide].findall(text)]


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    with boot(release, deb=deb, extra=["curl", "nginx-light"]) as host:
        yield Ward(host=host)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_works_as_it_stands_there(ward: Ward, guide: str) -> None:
    host = ward.host
    failed = []
    for command in commands(guide):
        cursor = host.cursor()
        done = host.run(["bash", "-o", "pipefail", "-c", command], env={"USER": "root"}, check=False, seconds=60)
        if done.returncode not in (range(4) if AN_ANSWER.match(command) else (0,)):
            failed.append(f"{command}\nended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        if "--signal=KILL" in command:
            ward.await_event(cursor, "healing_finished", "nginx.service", outcome="success")
        if "--signal=STOP" in command:  # what becomes of it is tested with the recipes, and takes a while
            host.sh("systemctl kill --signal=CONT nginx")

    assert failed == [], "\n\n".join(failed)
