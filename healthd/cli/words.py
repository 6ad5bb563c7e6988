"""What the words of the API mean, for one who never read the manual. The keys are all those of the contract."""

from __future__ import annotations

from typing import Final

# A hold in a few words, what it means, and what the operator can do. NAME stands for what was asked about, UNIT for its
# unit.
HOLDS: Final[dict[str, tuple[str, str, str]]] = {
    "dry_run": (
        "dry run",
        "healthd only says what it would do",
        "set dry_run = false in [auto_healing] to let it act",
    ),
    "disabled": (
        "healing is off",
        "healing is switched off for this, or altogether",
        "mend it by hand, or see auto_healing_enabled, the switches in [auto_healing] and heal: healthctl config show",
    ),
    "protected": (
        "hands off",
        "this unit is on the list that healthd never touches",
        'mend it by hand, or take it off the list with protect = ["!UNIT"] in [auto_healing]',
    ),
    "not_allowed": (
        "not in its care",
        "healthd may not act on it: it is neither enabled nor required by an enabled unit, or `allow` leaves it out",
        "start it by hand; healthd takes it into its care once `allow` names it and it is enabled or has heal = true",
    ),
    "operator_stopped": (
        "an operator's wish",
        "somebody stopped, masked or disabled it on purpose",
        "systemctl start UNIT gives it back into healthd's care (if it is masked, systemctl unmask UNIT first)",
    ),
    "job_running": (
        "systemd is at work on it",
        "systemd is already at work on it for somebody else",
        "wait, healthd looks again when that is done; systemctl list-jobs shows it",
    ),
    "starting": (
        "it is given time to start",
        "it is just starting, or systemd is about to restart it by itself",
        "wait: where that fails it is down, an issue of its own on which healthd acts; else read journalctl -u UNIT",
    ),
    "shutting_down": (
        "no healing now",
        "the host is shutting down",
        "nothing: stopping is what is meant to happen now",
    ),
    "package_upgrade": (
        "no healing now",
        "packages are being installed or upgraded, and services stop and start for that",
        "wait until apt or dpkg has finished; if it waits for an answer, give it one",
    ),
    "silenced": (
        "silenced",
        "an operator silenced it",
        "wait until the silence ends, or end it: healthctl silence lists them, healthctl resume ID ends one",
    ),
    "cooldown": (
        "waits before the next attempt",
        "each attempt waits longer than the one before, so that a failure is not hammered on",
        "wait, or mend the cause and let healthd begin anew: healthctl reset NAME",
    ),
    "unit_budget": (
        "enough actions on this unit for now",
        "this unit has had all the actions that it may have in so short a time",
        "find out why it keeps failing: journalctl -u UNIT",
    ),
    "host_budget": (
        "enough actions on this host for now",
        "this host has had all the healing actions that it may have in so short a time",
        "look for what fails together: healthctl issues",
    ),
    "cascade": (
        "root causes first",
        "many units went down at once; the root causes are healed first, one at a time",
        "wait, or look for what they have in common: healthctl issues",
    ),
    "dependency": (
        "root causes first",
        "something that it needs is down, and is healed first",
        "see what that is: healthctl issues",
    ),
    "config_error": (
        "waits for you",
        "systemd cannot run it as it is set up, or the program says that its configuration is wrong",
        "read journalctl -u UNIT, mend it, then systemctl start UNIT",
    ),
    "oneshot": (
        "leaves it to you",
        "it is a job that runs once, and running it again might do harm",
        "read journalctl -u UNIT; then systemctl start UNIT, or heal = true in its table for the next time",
    ),
    "clean_exit": (
        "not started again unasked",
        "it ended by itself with success, though nobody stopped it",
        'systemctl start UNIT; for the next time, clean_exit = "heal" or "ok" in its table',
    ),
    "already_failed": (
        "only reports it",
        "it was down before healthd first ran on this host",
        "systemctl start UNIT gives it into healthd's care",
    ),
    "pressure": (
        "no healing now",
        "the host is short of CPU, memory or disk time, and an action would make that worse",
        "wait, or find what uses it up: systemd-cgtop",
    ),
    "suggest": (
        "only suggests",
        "healthd says what it would do and leaves it to you: its table says so, or that has not helped too often",
        "healthctl heal NAME, if it seems right to you; healthctl ledger tells how often what helped",
    ),
    "gave_up": (
        "has given up for now",
        "no attempt helped, and healthd only tries again after a long while",
        "mend the cause (journalctl -u UNIT), then: healthctl reset NAME",
    ),
    "unknown_status": (
        "does not know enough",
        "there is no usable reading, and healthd does not act on a guess",
        "healthctl doctor says what keeps it from reading",
    ),
}

ISSUES: Final[dict[str, str]] = {
    "service_down": "service is down",
    "service_hung": "service hangs",
    "crash_loop": "crashes again and again",
    "high_memory": "uses much memory",
    "high_cpu": "uses much CPU",
    "pressure": "resources are short",
    "disk_full": "disk is filling up",
    "inodes_full": "disk runs out of inodes",
    "read_only": "file system became read-only",
    "network_error": "network errors",
    "probe_failed": "does not answer its probe",
    "clock_skew": "clock is wrong",
    "kernel_fault": "the kernel reports a fault",
    "error_rate": "too many errors",
    "job_failed": "job failed",
    "certificate": "certificate runs out",
    "heartbeat_missed": "missed its heartbeat",
}

ACTIONS: Final[dict[str, str]] = {
    "restart_unit": "restart the unit",
    "start_unit": "start the unit",
    "reload_unit": "have the unit read its configuration again",
    "reset_failed": "clear the unit's failed state",
    "memory_cleanup": "free cached memory",
    "network_restart": "restart the network",
    "disk_cleanup": "clean up disk space",
    "run_unit": "run the operator's repair unit",
}


def hold_words(reason: str) -> str:
    """A hold in a few words. A reason that only a newer daemon knows stands for itself."""
    return HOLDS[reason][0] if reason in HOLDS else reason


def hold_meaning(reason: str) -> str:
    """What a hold means, in a sentence."""
    return HOLDS[reason][1] if reason in HOLDS else ""


def hold_advice(reason: str, *, name: str, unit: str | None) -> str:
    """What the operator can do about a hold, with the names filled in."""
    if reason not in HOLDS:
        return ""
    return HOLDS[reason][2].replace("NAME", name).replace("UNIT", unit or name)


def issue_words(kind: str) -> str:
    """An issue's type in plain words."""
    return ISSUES.get(kind, kind)


def action_words(action: str) -> str:
    """An action in plain words."""
    return ACTIONS.get(action, action)
