"""What systemd says of a unit by its file: read for one unit at a time, when it is needed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDetail:
    """What of a unit changes only when its files do: read when first needed, forgotten at a daemon-reload.

    `service_type` is Type= ("" for what is no service), `restart` is Restart=. `triggered` says that a socket, path,
    timer or the bus starts the unit when it is needed. `required_by_enabled` says that an enabled unit Requires or
    BindsTo it. `can_reload` is ExecReload present. `requires` are the units without which it cannot run (Requires,
    Requisite, BindsTo; no slices), `binds_to` those of them whose end is its own. `after`: the services after which it
    starts (After), or that it is a part of (PartOf).

    Of its exits, `clean_statuses` are those besides 0 that are a success (SuccessExitStatus=); with `may_fail`, a "-"
    before its command, all are. `control_status` is that of a command around the main one (ExecCondition, ExecStartPre,
    ExecStartPost) which made the last start fail, 0 for none. It changes with a start, and is read anew where the
    main process does not tell why one failed. `assert_failed`: an assertion of its file (Assert...=) forbade a start.
    `runs_at_most`: it may run for so long only (RuntimeMaxSec=).
    """

    service_type: str
    restart: str
    remain_after_exit: bool
    triggered: bool
    required_by_enabled: bool
    can_reload: bool
    requires: tuple[str, ...] = ()
    binds_to: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    clean_statuses: tuple[int, ...] = ()
    may_fail: bool = False
    control_status: int = 0
    assert_failed: bool = False
    runs_at_most: bool = False
