"""A budget, a ledger and a diagnosis, as the API answers with them."""

from __future__ import annotations

from typing import Final

from healthd.answers import Budget, Diagnosis, Outcomes

NOW: Final = 1_763_928_311.0

BUDGET: Final = Budget(
    limit=10,
    remaining=8,
    window_seconds=600.0,
    used=(("nginx.service", NOW - 90), ("nginx.service", NOW - 60)),
    next_at=None,
)
OUTCOMES: Final = (
    Outcomes(
        subject="app.service",
        failure="exit_code",
        action="start_unit",
        helped=2,
        failed=6,
        in_a_row=6,
        last_at=NOW - 7200,
        trusted=False,
        retry_at=NOW + 79_200,
    ),
    Outcomes(
        subject="nginx.service",
        failure="signal",
        action="start_unit",
        helped=1,
        failed=2,
        in_a_row=2,
        last_at=NOW - 60,
        trusted=True,
        retry_at=None,
    ),
    Outcomes(
        subject="storage /var",
        failure="disk_full",
        action="disk_cleanup",
        helped=4,
        failed=0,
        in_a_row=0,
        last_at=NOW - 90_000,
        trusted=True,
        retry_at=None,
    ),
)

DIAGNOSES: Final = (
    Diagnosis(name="bus", ok=True, text="systemd answers in 1 ms"),
    Diagnosis(name="polkit", ok=False, text="nginx.service may not be restarted", remedy="systemctl reload healthd"),
    Diagnosis(name="journal", ok=None, text="not used here"),
)
