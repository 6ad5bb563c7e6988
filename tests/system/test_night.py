"""The worst night: the root of a chain fails during an upgrade, with a crash loop beside it; and how its log reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.system.units import service
from tests.system.ward import QUICK, Ward

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tools.throwaway import Host

PAGE: Final = Path(__file__).parents[2] / "docs/incidents.md"
CHAIN: Final = ("database.service", "shop.service", "front.service")
WORDS: Final = ("healing", "healed")
DATABASE: Final = (
    "/bin/sh -c 'test ! -e /run/migrating || { echo format 1 found, 2 needed; exit 1; };"
    " systemd-notify --ready; exec sleep infinity'"
)
MAILER: Final = "/bin/sh -c 'test ! -e /run/no-mail || exit 3; exec sleep infinity'"
CONTROL: Final = """\
Package: database
Version: 2
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: restarts its service before it has migrated its data
"""
POSTINST: Final = """\
#!/bin/sh
touch /run/migrating
systemctl restart database.service || true
read answer < /run/database.fifo
rm /run/migrating
"""


def set_up(ward: Ward) -> None:
    """A chain of three services, a fourth beside it, and a package whose upgrade breaks the root of the chain."""
    database, shop, front = CHAIN
    ward.add(service(DATABASE, "Type=notify", "NotifyAccess=all"), name=database)
    ward.add(service(unit=(f"BindsTo={database}", f"After={database}")), name=shop)
    ward.add(service(unit=(f"Requires={shop}", f"After={shop}")), name=front)
    restarts = service(MAILER, unit=("StartLimitBurst=4",)).replace("Restart=no", "Restart=on-failure")
    ward.add(restarts, name="mailer.service")
    ward.host.write("/root/database/DEBIAN/control", CONTROL)
    ward.host.write("/root/database/DEBIAN/postinst", POSTINST)
    ward.host.sh(
        "chmod 755 /root/database/DEBIAN/postinst; mkfifo /run/database.fifo;"
        "dpkg-deb --root-owner-group --build /root/database /root/database.deb"
    )
    ward.look()


def plain(lines: Iterable[str]) -> list[str]:
    """What was said, without numbers, times, and which of its processes holds dpkg's lock."""
    bare = [re.sub(r"\d[\d:.]*( (ms|s|min|h)\b)?", "N", line) for line in lines]
    return [re.sub(r"(apt-get|dpkg) \(process N\)", "dpkg (process N)", line) for line in bare]


def about(unit: str, lines: Iterable[str]) -> list[str]:
    """What was said of the unit, but for whether systemd was still restarting it when it was looked at."""
    words = ("", "not acting on ", "healing ", "healed ", "start_unit did not help ", "GAVE UP on ")
    ours = tuple(f"{word}{unit}" for word in words)
    return [line for line in lines if line.startswith(ours) and not line.endswith("(starting)")]


def test_the_worst_night_is_handled_and_told_as_its_page_says(host: Host) -> None:
    ward = Ward(host=host)
    # What runs for a moment, as a shell does on a busy machine before it exits, is not up.
    ward.configure(QUICK.replace("settle_seconds = 0.2", "settle_seconds = 1"))
    set_up(ward)
    cursor = host.cursor()
    host.sh("touch /run/no-mail")
    ward.kill("mailer.service")
    host.sh(
        "systemd-run --unit=upgrade.service --setenv=DEBIAN_FRONTEND=noninteractive"
        " apt-get install --yes /root/database.deb"
    )
    ward.await_event(cursor, "healing_held", CHAIN[0], reason="package_upgrade")
    for unit in CHAIN[1:]:
        ward.await_event(cursor, "healing_held", unit, reason="dependency")
    ward.await_event(cursor, "healing_held", "mailer.service", reason="package_upgrade")
    assert "healing_started" not in [each["HEALTHD_EVENT"] for each in ward.story(cursor)]
    host.sh("echo go > /run/database.fifo")
    ward.await_event(cursor, "healing_gave_up", "mailer.service", seconds=60)
    ward.await_healed(cursor, CHAIN[-1])

    story = ward.story(cursor)
    said = plain(each["MESSAGE"] for each in story)
    page = plain(re.findall(r"healthd\[\d+\]: (.*)", PAGE.read_text(encoding="utf-8")))
    for unit in (*CHAIN, "mailer.service"):
        assert about(unit, said) == about(unit, page)
    steps = [line for line in said if line.startswith(tuple(f"{word} {unit}" for word in WORDS for unit in CHAIN))]
    assert [line.partition(":")[0] for line in steps] == [f"{word} {unit}" for unit in CHAIN for word in WORDS]
    of_chain = {each["HEALTHD_INCIDENT"] for each in story if each.get("HEALTHD_UNIT") in CHAIN}
    beside = {each["HEALTHD_INCIDENT"] for each in story if each.get("HEALTHD_UNIT") == "mailer.service"}
    assert len(of_chain) == len(beside) == 1
    assert of_chain != beside
    (chain,) = [each for each in ward.ask("incidents") if str(each["id"]) in of_chain]
    assert chain["result"].startswith("healed by start_unit of front.service, the last of 3 attempts")
