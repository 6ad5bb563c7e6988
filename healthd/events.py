"""The events of the journal: names and MESSAGE_IDs, fixed for ever (the catalog and healthd(8) explain each)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Event(StrEnum):
    """What a journal record is about: the value of HEALTHD_EVENT."""

    DAEMON_READY = "daemon_ready"
    DAEMON_STOPPING = "daemon_stopping"
    CONFIG_RELOADED = "config_reloaded"
    CONFIG_REJECTED = "config_rejected"
    COMPONENT_CHANGED = "component_changed"
    STATE_CHANGED = "state_changed"
    ISSUE_OPENED = "issue_opened"
    ISSUE_RESOLVED = "issue_resolved"
    HEALING_STARTED = "healing_started"
    HEALING_FINISHED = "healing_finished"
    HEALING_HELD = "healing_held"
    HEALING_GAVE_UP = "healing_gave_up"
    ALERT_SENT = "alert_sent"
    ALERT_FAILED = "alert_failed"
    API_REQUEST = "api_request"
    CHECK_FAILED = "check_failed"
    STORAGE_FAILED = "storage_failed"
    CASCADE_BEGAN = "cascade_began"
    CASCADE_ENDED = "cascade_ended"
    BUS_CHANGED = "bus_changed"
    LOG_DROPPED = "log_dropped"
    FEATURE_OFF = "feature_off"
    LISTENER_CHANGED = "listener_changed"
    CHANGES_FOUND = "changes_found"
    SILENCE_STARTED = "silence_started"
    SILENCE_ENDED = "silence_ended"
    SILENCE_LASTS = "silence_lasts"
    ACTION_DISTRUSTED = "action_distrusted"
    ACTION_TRUSTED = "action_trusted"


MESSAGE_IDS: Final[dict[Event, str]] = {
    Event.DAEMON_READY: "5111216f13ed42f7b1aad8f92a8b1f2d",
    Event.DAEMON_STOPPING: "aa72de73ad86424687789516887afb92",
    Event.CONFIG_RELOADED: "76e3cba1c9344229b12d74b23c563b0c",
    Event.CONFIG_REJECTED: "3ed00ab8c804499b9b4576fc20e95f49",
    Event.COMPONENT_CHANGED: "6716a8e659464d39becb26772462862b",
    Event.STATE_CHANGED: "7336fdfd86564e8f8f4acb947f7333e9",
    Event.ISSUE_OPENED: "a3de0e012bea4c4680d716751aa24563",
    Event.ISSUE_RESOLVED: "b6a35c56d04644b4a7efa034eb978b2e",
    Event.HEALING_STARTED: "749271926aa84f78a65144363a4eca92",
    Event.HEALING_FINISHED: "54eb327232a04e90b6fde997cb591607",
    Event.HEALING_HELD: "aeb01306468e45d4bc52159dc91a5356",
    Event.HEALING_GAVE_UP: "a6403dd538b64592ae3bf606d3239a71",
    Event.ALERT_SENT: "a912c9f82d1d458e97463b5247aaf881",
    Event.ALERT_FAILED: "83b0e97723fe442cab104c25ebc9aa85",
    Event.API_REQUEST: "78315421f112402d9567662ee305bdd7",
    Event.CHECK_FAILED: "ca3dc93a23744433801b7654444b0ec2",
    Event.STORAGE_FAILED: "29da4f2ce3754cbc98420b4208cdc91b",
    Event.CASCADE_BEGAN: "65a1362351174a7988f813d88a27f42f",
    Event.CASCADE_ENDED: "40b3f7ff1e0a4d3ea2254a4e2de0f395",
    Event.BUS_CHANGED: "397dffdfa0ca48018d63090d57bd3394",
    Event.LOG_DROPPED: "833da030a71a40869a88903e01339a21",
    Event.FEATURE_OFF: "7f4879acd166409b8521773f5d5e47c4",
    Event.LISTENER_CHANGED: "6b6172639de345bb8933a1f5ad91c773",
    Event.CHANGES_FOUND: "3ae5587dade446c09cd69ee8516f6fed",
    Event.SILENCE_STARTED: "b6194e1a60b04e8fb9019bdc9dc39485",
    Event.SILENCE_ENDED: "9bc5e9b9e97642688fd420f6e20859ee",
    Event.SILENCE_LASTS: "fe49880e3e334a50b2dda98b2ece3fb9",
    Event.ACTION_DISTRUSTED: "795db61946014108b0a74f5be1ed2b7a",
    Event.ACTION_TRUSTED: "af215f99a39f442ca0539729fb32d5a5",
}
