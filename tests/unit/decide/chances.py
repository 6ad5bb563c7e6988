"""What may come over a host of three units, for hypothesis to choose from: settings, failures, people."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from healthd.config import CleanExit, Heal, UnitSettings
from tests.unit.builders import settings

NAMES = ("a.service", "b.service", "c.service")
DISKS = ("/", "/var")

unit_names = st.sampled_from(NAMES)
some_units = st.sets(unit_names, max_size=2).map(tuple)
times = st.sampled_from((0.0, 0.05, 0.1, 0.5, 1.0, 5.0, 11.0, 23.0, 45.0, 120.0, 601.0, 3601.0, 1e6))
tables = st.builds(
    UnitSettings,
    heal=st.sampled_from((*(None,) * 6, Heal.ON, Heal.OFF, Heal.SUGGEST)),
    clean_exit=st.sampled_from(CleanExit),
    max_attempts=st.sampled_from((None, 0, 1, 2)),
    actions=st.sampled_from(((), (), ("reset_failed", "start_unit"), ("reload_unit", "restart_unit"))),
    grace_seconds=st.sampled_from((0.0, 0.0, 3.0)),
    critical=st.booleans(),
)
configurations = st.builds(
    settings,
    health=st.fixed_dictionaries(
        {
            "max_healing_attempts": st.sampled_from((1, 2, 3, 0)),
            "auto_healing_enabled": st.sampled_from((True,) * 9 + (False,)),
        }
    ),
    units=st.dictionaries(unit_names, tables, max_size=2),
    dry_run=st.sampled_from((False,) * 9 + (True,)),
    disk_cleanup_enabled=st.sampled_from((True,) * 9 + (False,)),
    allow=st.sampled_from((*(("*.service",),) * 4, ("a.service", "b.service"))),
    protect=st.sampled_from((*((),) * 4, ("b.service",))),
    backoff_seconds=st.sampled_from((10.0, 1.0, 0.0)),
    backoff_max_seconds=st.sampled_from((300.0, 40.0, 5.0, 0.0)),
    verify_seconds=st.sampled_from((30.0, 5.0, 0.1)),
    settle_seconds=st.sampled_from((1.0, 0.0, 40.0)),
    host_budget_actions=st.sampled_from((2, 4, 10, 0)),
    host_budget_seconds=st.sampled_from((600.0, 30.0, 0.0)),
    retry_after_give_up_seconds=st.sampled_from((50.0, 3600.0, 0.0)),
    suggest_after_failures=st.sampled_from((6, 1, 2, 0)),
    retry_suggested_seconds=st.sampled_from((86_400.0, 100.0, 0.0)),
    cascade_units=st.sampled_from((0, 2, 3)),
    cascade_seconds=st.sampled_from((10.0, 60.0)),
)

# What requires what: nothing, each the one before it, or all in a circle.
RELATIONS: tuple[dict[str, str], ...] = (
    {},
    {},
    {"b.service": "a.service", "c.service": "b.service"},
    {"a.service": "c.service", "b.service": "a.service", "c.service": "b.service"},
)

FAILURES: tuple[dict[str, Any], ...] = (
    {"active": "failed", "sub": "failed", "result": "signal", "code": 2, "exit_status": 9},
    {"active": "failed", "sub": "failed", "result": "exit-code", "code": 1, "exit_status": 1},
    {"active": "failed", "sub": "failed", "result": "exit-code", "code": 1, "exit_status": 203},
    {"active": "failed", "sub": "failed", "result": "watchdog", "code": 3, "exit_status": 6},
    {"active": "inactive", "sub": "dead", "result": "success", "code": 2, "exit_status": 15},
    {"active": "inactive", "sub": "dead", "result": "success", "code": 1, "exit_status": 0},
)
UNCHANGED: dict[str, Any] = {}
RESULTS = ("done", "failed", "timeout", "canceled", "lost", "refused", "broken", "not_supported")
MEDDLING: tuple[dict[str, Any], ...] = (
    {"active": "inactive", "sub": "dead", "result": "success", "code": 2, "exit_status": 15, "stopped_by_job": True},
    {"load": "masked"},
    {"file_state": "disabled"},
    {"file_state": "static"},
    {"own_job": False},
)
