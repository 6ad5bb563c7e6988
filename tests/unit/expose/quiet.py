"""A silence as the API answers with it."""

from __future__ import annotations

from typing import Final

from healthd.answers import Quiet

NOW: Final = 1_763_928_311.0

QUIET: Final = Quiet(
    id="s7",
    scope="web-*.service",
    kind="units",
    name="web-*.service",
    by="alice (claimed, uid 0)",
    reason="new disk",
    set_at=NOW - 60,
    until=NOW + 3540,
    while_unit=None,
    calendar=None,
    seconds=3600.0,
    in_force=True,
    begins=None,
)
