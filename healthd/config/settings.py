"""The settings: what the configuration means, merged, validated and frozen. Field names are the TOML keys.

Each field carries its kind, its default and one line of help (`declared`). These declarations are the one table that
validation, defaults, the sample file, the manual and `config show` are made from; `config/schema.py` walks it.
Numbers whose key names a unit of time are seconds (or days); counts of 0 switch their limit off where the help says so.
"""

# ruff: noqa: D102 -- what `allowed` and `read` promise is said once, by the protocol Kind
# ruff: noqa: RUF009 -- `declared` makes a dataclass field

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from healthd.config.forms import AbsolutePath, Action, Address, AppriseUrl, Email, Folder, UnitPattern, Url
from healthd.config.kinds import (
    YEAR,
    Choice,
    Count,
    Credential,
    Either,
    Kind,
    Many,
    Number,
    Secret,
    Switch,
    Text,
    refuse,
)
from healthd.model import Severity, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.model import Problem

DECLARATION: Final = "healthd"


class Heal(StrEnum):
    """Whether a unit is healed: on, off, or decided and told but left to a person."""

    ON = "on"
    OFF = "off"
    SUGGEST = "suggest"


class CleanExit(StrEnum):
    """What it means that a unit ended by itself with success and nobody stopped it."""

    REPORT = "report"
    HEAL = "heal"
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What there is to know about a key.

    `default` None: the key is optional and nothing stands for it. `help` is one line; `example` is TOML for the manual
    and the sample file, where the default does not show what to write. A `required` key has no default.
    """

    kind: Kind
    default: Any = None
    help: str = ""
    example: str = ""
    secret: bool = False
    required: bool = False


def declared(kind: Kind, default: Any, text: str, *, example: str = "", secret: bool = False) -> Any:
    """A dataclass field that is a key of the configuration; `text` is its help."""
    declaration = Declaration(kind=kind, default=default, help=text, example=example, secret=secret)
    return field(default=default, metadata={DECLARATION: declaration})


class HealWord:
    """true, false or "suggest"."""

    allowed = 'true, false or "suggest"'

    def read(self, raw: object) -> Heal:
        if isinstance(raw, bool):
            return Heal.ON if raw else Heal.OFF
        return Heal.SUGGEST if raw == Heal.SUGGEST.value else refuse(raw, self.allowed)


_SECONDS: Final = Number(0, YEAR)
_ADDRESSES: Final = Many(Address())
_PATTERNS: Final = Many(UnitPattern())


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """[health]."""

    check_interval_seconds: float = declared(Number(0.1, 86_400), 30.0, "how often each component is looked at")
    health_timeout_seconds: float = declared(Number(0.1, 3_600), 10.0, "no check holds the round up longer than this")
    auto_healing_enabled: bool = declared(Switch(), True, "whether healthd acts at all; false: it only watches")
    max_healing_attempts: int = declared(Count(), 3, "attempts for one issue, then it gives up; 0: no limit")
    ready_when: Status = declared(
        Choice((Status.HEALTHY, Status.DEGRADED)), Status.HEALTHY, "the worst status that still counts as ready"
    )
    history_retention_days: float = declared(Number(0, 36_500), 30.0, "how long history is kept; 0: for ever")


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoHealingSettings:
    """[auto_healing]."""

    service_restart_enabled: bool = declared(Switch(), True, "start, restart, reload and reset units")
    memory_cleanup_enabled: bool = declared(Switch(), False, "drop clean caches: rarely helps, costs I/O")
    network_restart_enabled: bool = declared(Switch(), False, "restart networking: it may cut remote sessions")
    disk_cleanup_enabled: bool = declared(Switch(), True, "clean the journal, package cache and temporary files")
    disk_cleanup_journal_mb: int = declared(Count(), 100, "MiB of the journal that a clean-up leaves")
    disk_cleanup_log_directories: tuple[str, ...] = declared(
        Many(Folder()), (), "whose rotated logs a clean-up may remove", example='["/var/log/nginx"]'
    )
    dry_run: bool = declared(Switch(), False, "decide and log everything, touch nothing")
    allow: tuple[str, ...] = declared(_PATTERNS, ("*.service",), "units that may be acted on")
    protect: tuple[str, ...] = declared(
        Many(UnitPattern(negatable=True)), (), 'never acted on, beside the built-in list; "!name" takes an entry out'
    )
    backoff_seconds: float = declared(
        Number(0, 86_400), 10.0, "wait before the second attempt, then twice as long each; 0: no wait"
    )
    backoff_max_seconds: float = declared(Number(0, YEAR), 300.0, "the longest such wait; 0: no bound")
    verify_seconds: float = declared(Number(0.1, 3_600), 30.0, "recovery must be confirmed within this ...")
    settle_seconds: float = declared(Number(0, 3_600), 1.0, "... and hold this long")
    host_budget_actions: int = declared(Count(), 10, "actions over all units in one window; 0: no limit")
    host_budget_seconds: float = declared(
        Number(0, YEAR), 600.0, "the window, also of the budget of one unit; 0: no budgets"
    )
    cascade_units: int = declared(Count(), 5, "this many units down ...; 0: no brake")
    cascade_seconds: float = declared(
        Number(0, 86_400),
        10.0,
        "... within this are one incident of the host: root causes first, one at a time; 0: no brake",
    )
    retry_after_give_up_seconds: float = declared(_SECONDS, 3600.0, "the slow retry after giving up; 0: never")
    suggest_after_failures: int = declared(
        Count(),
        6,
        "an action that did not help so often in a row, on one unit and failure, is only suggested; 0: never",
    )
    retry_suggested_seconds: float = declared(_SECONDS, 86_400.0, "after so long it is tried once more; 0: never")
    restart_on_leak: bool = declared(Switch(), False, "restart a running unit whose memory runs to its limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSettings:
    """[services."UNIT"]: what one unit needs to differ in. None: not said."""

    heal: Heal | None = declared(
        HealWord(), None, 'heal it: true, false, or "suggest" to decide and tell only', example="true"
    )
    critical: bool = declared(Switch(), False, "while it is down, the host is unhealthy")
    clean_exit: CleanExit = declared(
        Choice(tuple(CleanExit)), CleanExit.REPORT, "what it means that it ended by itself with success"
    )
    max_attempts: int | None = declared(Count(), None, "in place of max_healing_attempts; 0: no limit", example="5")
    actions: tuple[str, ...] = declared(
        Many(Action(), least=1),
        (),
        "what to do, an attempt each, the last one repeats; not said: what the failure calls for",
        example='["reload_unit", "restart_unit"]',
    )
    grace_seconds: float = declared(Number(0, 86_400), 0.0, "not judged this long after its start")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesSettings:
    """[services]: the component `services`. `unit` holds the tables of single units by name."""

    watch: tuple[str, ...] = declared(_PATTERNS, ("*.service",), "units that are watched if they are enabled")
    ignore: tuple[str, ...] = declared(_PATTERNS, (), "units that are not looked at")
    weight: float = declared(Number(0, 100), 0.35, "its share in the overall score")
    unit: Mapping[str, UnitSettings] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentSettings:
    """[component.NAME]: the keys that all types have, resolved; `options` are those of its type, by TOML key."""

    type: str
    unit: str | None = None
    weight: float = 0.1
    critical: bool = False
    interval_seconds: float = 30.0
    timeout_seconds: float = 10.0
    failures: int = 3
    successes: int = 2
    grace_seconds: float = 0.0
    depends_on: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """[http]."""

    listen: tuple[str, ...] = declared(_ADDRESSES, ("127.0.0.1:8080",), "where the API, probes and page are served")
    metrics_listen: tuple[str, ...] = declared(_ADDRESSES, ("127.0.0.1:9090",), "where /metrics is served")
    probes_require_key: bool = declared(Switch(), False, "no probe answers without a key")
    metrics_require_key: bool = declared(Switch(), False, "no metrics without a key")
    rate_limit_per_minute: int = declared(Count(), 120, "requests of one client address; 0: no limit")
    tls_certificate: str = declared(AbsolutePath(), "", "a file of PEM; with tls_key: HTTPS")
    tls_key: str = declared(AbsolutePath(), "", "the key of the certificate")
    tls_client_ca: str = declared(AbsolutePath(), "", "clients must show a certificate that this one signed")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingSettings:
    """[alerting]. A secret may be a `Credential`, which only the delivery process can resolve."""

    slack_webhook_url: str | Credential = declared(Secret(Url(("https", "http"))), "", "Slack", secret=True)
    email_notifications: tuple[str | Credential, ...] | Credential = declared(
        Secret(Many(Secret(Email()))), (), "who gets mail"
    )
    pagerduty_key: str | Credential = declared(Secret(Text()), "", "the routing key of PagerDuty", secret=True)
    smtp_url: str | Credential = declared(
        Secret(Url(("smtp", "smtps"), bare=True)),
        "smtp://localhost:25",
        "the mail server, with user and password if it wants them",
    )
    pagerduty_url: str = declared(Url(empty=False), "https://events.pagerduty.com", "where PagerDuty is")
    alertmanager_url: str | tuple[str | Credential, ...] | Credential = declared(
        Secret(Either(Url(), Many(Secret(Url(empty=False))))), "", "Prometheus Alertmanager; several peers in an array"
    )
    webhook_url: str | Credential = declared(Secret(Url()), "", "gets each alert as JSON", secret=True)
    webhook_secret: str | Credential = declared(Secret(Text()), "", "signs what the webhook gets", secret=True)
    apprise_urls: tuple[str | Credential, ...] | Credential = declared(
        Secret(Many(Secret(AppriseUrl()))), (), "addresses of services as the library apprise writes them", secret=True
    )
    heartbeat_url: str | Credential = declared(
        Secret(Url()), "", "a dead man's switch: asked for while healthd lives", secret=True
    )
    heartbeat_seconds: float = declared(Number(10, 86_400), 60.0, "how often")
    min_severity: Severity = declared(Choice(tuple(Severity)), Severity.HIGH, "what is less severe is not told")
    repeat_seconds: float = declared(_SECONDS, 14_400.0, "how often an open issue is told again; 0: never")
    group_seconds: float = declared(
        Number(0, 3_600), 2.0, "the first message of an incident waits so long for what else belongs to it"
    )
    notify_healed: bool = declared(
        Switch(), False, "a note, once all is well, of what was healed before anybody was told"
    )

    @property
    def receivers(self) -> tuple[str, ...]:
        """The names of those who are told, in the order of the alphabet."""
        said = {
            "alertmanager": self.alertmanager_url,
            "apprise": self.apprise_urls,
            "email": self.email_notifications,
            "pagerduty": self.pagerduty_key,
            "slack": self.slack_webhook_url,
            "webhook": self.webhook_url,
        }
        return tuple(name for name, value in said.items() if value)


_UNIT_DEFAULTS: Final = UnitSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration, as `load` and `load_texts` give it: `thresholds` and `component` hold the defaults too.

    `files` are those that were read. `warnings` are things that are not wrong but ought to be changed.
    """

    health: HealthSettings = HealthSettings()
    thresholds: Mapping[str, float | int] = field(default_factory=lambda: MappingProxyType({}))
    auto_healing: AutoHealingSettings = AutoHealingSettings()
    services: ServicesSettings = field(default_factory=ServicesSettings)
    component: Mapping[str, ComponentSettings] = field(default_factory=lambda: MappingProxyType({}))
    http: HttpSettings = HttpSettings()
    alerting: AlertingSettings = AlertingSettings()
    files: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    def unit(self, name: str) -> UnitSettings:
        """What is said about this unit; defaults if nothing is."""
        return self.services.unit.get(name, _UNIT_DEFAULTS)
