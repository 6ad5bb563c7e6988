"""The settings as tables again."""

from __future__ import annotations

import json
from dataclasses import replace

from healthd.config import load_texts
from healthd.config.show import tables, text

_FULL = """\
[health]
ready_when = "degraded"
[thresholds]
memory_warning_gb = 2.5
[auto_healing]
protect = ["!dbus*", "a\\\\x2db.service"]
backoff_seconds = 0.5
[services]
weight = 0.25
[services."nginx.service"]
heal = "suggest"
actions = ["reload_unit", "run_unit:r.service"]
max_attempts = 5
[services."b.service"]
heal = true
clean_exit = "ok"
[component.web]
type = "http"
url = "https://h/?q=\\u007f"
depends_on = ["m"]
expect_status = [200, 204]
headers = { "X-Y" = "a \\"b\\" \\\\ ü" }
[component.m]
type = "metrics"
url = "http://h/"
critical = { a = 3 }
values = { a = { metric = "a{b='c'}", per_interval = true } }
[component.memory]
critical = true
[component.s]
type = "metrics"
url = "http://h/"
values = { a = { metric = "a" } }
score = [ { when = { a = { max = 0 } }, score = 0.5 }, { score = 1 } ]
[component.x]
type = "exec"
command = ["/bin/x", "a b"]
[alerting]
smtp_url = { credential = "smtp" }
email_notifications = ["a@b"]
"""


def settings_of(source: str) -> object:
    return replace(load_texts({"a": source}), files=(), warnings=())


def test_what_is_shown_would_be_read_as_the_same_settings() -> None:
    source = _FULL.replace("\\u007f", "")

    assert settings_of(text(tables(load_texts({"a": source})))) == settings_of(source)


def test_the_defaults_shown_are_the_defaults() -> None:
    assert settings_of(text(tables(load_texts()))) == settings_of("")


def test_the_tables_are_plain_json_data() -> None:
    shown = tables(load_texts({"a": _FULL.replace("\\u007f", "")}))

    assert json.loads(json.dumps(shown)) == shown
    assert shown["health"]["check_interval_seconds"] == 30
    assert shown["services"]["nginx.service"]["heal"] == "suggest"
    assert shown["services"]["b.service"]["heal"] is True
    assert shown["component"]["memory"]["critical"] is True


def test_secrets_are_hidden() -> None:
    shown = tables(
        load_texts(
            {
                "a": """\
[alerting]
slack_webhook_url = "https://hooks/s3cret"
pagerduty_key = "s3cret"
webhook_url = "https://h/s3cret"
smtp_url = "smtp://user:s3cret@mail:587"
alertmanager_url = "http://s3cret@am:9093"
[component.web]
type = "http"
url = "https://user:s3cret@h/"
headers = { Authorization = "Bearer s3cret", X-Api-Key = "s3cret", Accept = "text/html" }
"""
            }
        )
    )

    assert "s3cret" not in json.dumps(shown)
    assert shown["alerting"]["slack_webhook_url"] == "***"
    assert shown["alerting"]["smtp_url"] == "smtp://user:***@mail:587"
    assert shown["component"]["web"]["headers"] == {"Authorization": "***", "X-Api-Key": "***", "Accept": "text/html"}


def test_a_credential_is_shown_by_its_name() -> None:
    said = (
        '[alerting]\npagerduty_key = { credential = "pd" }\nemail_notifications = ["a@b", { credential = "night" }]\n'
    )
    shown = tables(load_texts({"a": said}))

    assert shown["alerting"]["pagerduty_key"] == {"credential": "pd"}
    assert shown["alerting"]["email_notifications"] == ["a@b", {"credential": "night"}]
    assert settings_of(text(shown)) == settings_of(said)


def test_a_secret_that_is_not_set_is_shown_as_such() -> None:
    assert tables(load_texts())["alerting"]["slack_webhook_url"] == ""
