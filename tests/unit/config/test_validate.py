"""Each kind of mistake in a value or a key, with where it stands and what is allowed."""

from __future__ import annotations

from dataclasses import fields

import pytest

from healthd.config import Heal, HealthSettings, load_texts
from healthd.config.kinds import Credential
from healthd.model import Severity, Status
from tests.unit.config.said import only, said


@pytest.mark.parametrize(
    ("table", "line", "problem"),
    [
        ("health", 'check_interval_seconds = "30"', 'found "30"; allowed is a number from 0.1 to 86400'),
        ("health", "check_interval_seconds = true", "found true; allowed is a number from 0.1 to 86400"),
        ("health", "check_interval_seconds = nan", "found nan; allowed is a number from 0.1 to 86400"),
        ("health", "check_interval_seconds = inf", "found inf; allowed is a number from 0.1 to 86400"),
        ("health", "check_interval_seconds = 0", "found 0; allowed is a number from 0.1 to 86400"),
        ("health", "health_timeout_seconds = 3601", "found 3601; allowed is a number from 0.1 to 3600"),
        ("health", "max_healing_attempts = 3.0", "found 3.0; allowed is a whole number from 0 to 100000"),
        ("health", "max_healing_attempts = 100001", "found 100001; allowed is a whole number from 0 to 100000"),
        ("health", "max_healing_attempts = -1", "found -1; allowed is a whole number from 0 to 100000"),
        ("health", "max_healing_attempts = true", "found true; allowed is a whole number from 0 to 100000"),
        (
            "health",
            f"max_healing_attempts = {10**30}",
            "found a number beyond 64 bits; allowed is a whole number from 0 to 100000",
        ),
        ("health", "auto_healing_enabled = 1", "found 1; allowed is true or false"),
        ("health", 'auto_healing_enabled = "yes"', 'found "yes"; allowed is true or false'),
        ("health", 'ready_when = "unhealthy"', 'found "unhealthy"; allowed is "healthy" or "degraded"'),
        ("health", "ready_when = 1979-05-27", 'found the date 1979-05-27; allowed is "healthy" or "degraded"'),
        ("thresholds", "memory_warning_percent = 101", "found 101; allowed is a number from 0 to 100"),
        ("thresholds", "network_error_warning = 0.5", "found 0.5; allowed is a whole number from 0 to 100000"),
        (
            "auto_healing",
            'allow = "*.service"',
            'found "*.service"; allowed is an array, each of it a unit name or a pattern such as "web-*.service"',
        ),
        ("services", "weight = [1]", "found an array of 1; allowed is a number from 0 to 100"),
        ("services", "weight = {}", "found a table; allowed is a number from 0 to 100"),
        ("http", 'tls_key = "key.pem"', 'found "key.pem"; allowed is a path that begins with "/", or "" for none'),
        (
            "alerting",
            'alertmanager_url = "localhost:9093"',
            (
                'found "localhost:9093"; allowed is a URL that begins with http:// or https://, or "" for none, '
                'or an array, each of it a URL that begins with http:// or https://, or { credential = "NAME" }'
            ),
        ),
        ("alerting", 'min_severity = "loud"', 'found "loud"; allowed is "low", "medium", "high" or "critical"'),
    ],
)
def test_a_wrong_value_is_told_with_file_line_key_found_and_allowed(table: str, line: str, problem: str) -> None:
    key = line.split(" = ", maxsplit=1)[0]

    assert only(f"# a comment\n[{table}]\n{line}\n") == f"a.toml:3: {table}.{key}: {problem}"


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        ("3", "found 3; "),
        ('""', 'found ""; '),
        ('"a b"', 'found "a b"; '),
        ('"a/b"', 'found "a/b"; '),
        ('"[a"', 'found "[a"; '),
        ('"[b-a]"', 'found "[b-a]"; '),
        ('"!a.service"', 'found "!a.service"; '),
        (f'"{"a" * 256}"', f'found "{"a" * 57}..."; '),
        (f'"{"*a" * 40}"', f'found "{"*a" * 28}*..."; '),
    ],
)
def test_a_wrong_pattern_is_told_on_the_line_of_the_element(element: str, problem: str) -> None:
    words = only(f'[auto_healing]\nallow = [\n  "nginx.service",\n  {element},\n]\n')

    assert words.startswith(f"a.toml:4: auto_healing.allow[1]: {problem}allowed is a unit name or a pattern")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[healht]\n", 'a.toml:1: healht: unknown table; did you mean "health"?'),
        (
            "[health]\nmax_healing_attemts = 3\n",
            'a.toml:2: health.max_healing_attemts: unknown key; did you mean "max_healing_attempts"?',
        ),
        ("[health]\ndry_run = true\n", "a.toml:2: health.dry_run: unknown key; it belongs in [auto_healing]"),
        ("\ndry_run = true\n", "a.toml:2: dry_run: unknown key; it belongs in [auto_healing]"),
        ("[services]\nwacht = []\n", 'a.toml:2: services.wacht: unknown key; did you mean "watch"?'),
        (
            '[services."a.service"]\ncriticl = true\n',
            'a.toml:2: services."a.service".criticl: unknown key; did you mean "critical"?',
        ),
        ("[component.cpu]\nweihgt = 1\n", 'a.toml:2: component.cpu.weihgt: unknown key; did you mean "weight"?'),
        (
            "[health]\nxyz = 1\n",
            "a.toml:2: health.xyz: unknown key; keys of [health] are "
            + ", ".join(field.name for field in fields(HealthSettings)),
        ),
    ],
)
def test_an_unknown_key_or_table_is_told_with_what_was_probably_meant(text: str, problem: str) -> None:
    assert only(text) == problem


@pytest.mark.parametrize(
    ("heading", "hint"),
    [
        ("services.nginx", 'did you mean "nginx.service"?'),
        ("services.nginx.service", 'a unit\'s name has quotes around it: [services."nginx.service"]'),
        ('services."getty@.service"', 'this is a template, name an instance such as "getty@1.service"'),
        ('services."a b.service"', 'allowed is the name of a unit in quotes, [services."nginx.service"]'),
    ],
)
def test_a_table_that_is_not_named_after_a_unit_is_told_with_what_to_write(heading: str, hint: str) -> None:
    words = only(f"[{heading}]\n")

    assert words.startswith("a.toml:1: services.")
    assert words.endswith(hint)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('heal = "suggests"', 'heal: found "suggests"; allowed is true, false or "suggest"'),
        ("heal = 1", 'heal: found 1; allowed is true, false or "suggest"'),
        ('clean_exit = "fine"', 'clean_exit: found "fine"; allowed is "report", "heal" or "ok"'),
        ("actions = []", "actions: found an empty array; "),
        ('actions = ["restart"]', 'actions[0]: found "restart"; '),
        ("actions = [3]", "actions[0]: found 3; "),
        ('actions = ["memory_cleanup"]', 'actions[0]: found "memory_cleanup"; '),
        ('actions = ["run_unit:"]', 'actions[0]: found "run_unit:"; allowed is "run_unit:" and the name of a service'),
        ('actions = ["run_unit:a.timer"]', 'actions[0]: found "run_unit:a.timer"; '),
        ('actions = ["run_unit:repair"]', 'actions[0]: found "run_unit:repair"; '),
    ],
)
def test_a_wrong_word_about_a_unit_is_told(line: str, problem: str) -> None:
    words = only(f'[services."nginx.service"]\n{line}\n')

    assert words.startswith(f'a.toml:2: services."nginx.service".{problem}')


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", ":8080", "8080", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "a b:80", "host:80/x", "a..b:80"],
)
def test_a_malformed_address_is_told(address: str) -> None:
    assert only(f'[http]\nlisten = ["{address}"]\n').startswith("a.toml:2: http.listen[0]: found ")


@pytest.mark.parametrize("address", ["127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "localhost:65535", "0.0.0.0:1"])
def test_a_well_formed_address_is_taken(address: str) -> None:
    assert load_texts({"a": f'[http]\nlisten = ["{address}"]\n'}).http.listen == (address,)


@pytest.mark.parametrize("table", ["{}", "{ credential = 3 }", '{ credential = "a", file = "b" }', '{ file = "b" }'])
def test_a_table_in_place_of_a_secret_that_names_no_credential_is_told(table: str) -> None:
    assert only(f"[alerting]\npagerduty_key = {table}\n").startswith("a.toml:2: alerting.pagerduty_key: found a table")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "ü", "x" * 256])
def test_a_credential_that_cannot_be_a_file_is_told(name: str) -> None:
    words = only(f'[alerting]\npagerduty_key = {{ credential = "{name}" }}\n')

    assert words.startswith("a.toml:2: alerting.pagerduty_key: ")


def test_a_secret_of_the_wrong_form_is_told_without_being_shown() -> None:
    words = said(a='[alerting]\nslack_webhook_url = "hooks/s3cret"\nsmtp_url = "http://u:s3cret@h"\n')

    assert len(words) == 2
    assert not any("s3cret" in word for word in words)


def test_a_credential_stands_for_its_value() -> None:
    alerting = load_texts({"a": '[alerting]\nsmtp_url = { credential = "smtp" }\n'}).alerting

    assert alerting.smtp_url == Credential(name="smtp")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "a.toml:1: component.w: key type is missing; allowed is "),
        ('type = "htpp"', 'a.toml:2: component.w.type: found "htpp"; allowed is "http", "tcp", '),
        ('type = "http"', "a.toml:1: component.w: key url is missing; allowed is a URL "),
        ('type = "tcp"', "a.toml:1: component.w: key address is missing; "),
        ('type = "unix"', "a.toml:1: component.w: key path is missing; "),
        ('type = "dns"', "a.toml:1: component.w: key name is missing; "),
        ('type = "exec"', "a.toml:1: component.w: key command is missing; "),
        ('type = "heartbeat"', "a.toml:1: component.w: key every_seconds is missing; "),
        ('type = "unit"', "a.toml:1: component.w: key unit is missing; "),
        ('type = "certificate"', "a.toml:1: component.w: it must say path or address; "),
        (
            'type = "heartbeat"\nevery_seconds = 60\nurl = "http://h"',
            "a.toml:4: component.w.url: unknown key; it is a key of type http",
        ),
        ('type = "heartbeat"\nevery_seconds = 60\nfailures = 0', "a.toml:4: component.w.failures: found 0; "),
        (
            'type = "http"\nurl = "http://h"\nheaders = 3',
            "a.toml:4: component.w.headers: found 3; allowed is a table of texts",
        ),
        (
            'type = "http"\nurl = "http://h"\nheaders = { "a b" = "" }',
            'a.toml:4: component.w.headers."a b": malformed name',
        ),
        ('type = "http"\nurl = "http://ü"', 'a.toml:3: component.w.url: found "http://ü"; '),
        ('type = "exec"\ncommand = "check_load -w 5"', "a.toml:3: component.w.command: found "),
        ('type = "exec"\ncommand = "/bin/x \'"', "a.toml:3: component.w.command: found "),
        ('type = "exec"\ncommand = ["/bin/x"]\nuser = "a b"', "a.toml:4: component.w.user: found "),
        ('type = "http"\nurl = "http://h"\nexpect_status = 99', "a.toml:4: component.w.expect_status: found 99; "),
        (
            'type = "http"\nurl = "http://h"\nexpect_status = [200, 99]',
            "a.toml:4: component.w.expect_status[1]: found 99; ",
        ),
        (
            'type = "http"\nurl = "http://h"\nheaders = { A = 1 }',
            "a.toml:4: component.w.headers.A: found 1; allowed is a text",
        ),
    ],
)
def test_a_wrong_component_is_told(body: str, problem: str) -> None:
    assert only(f"[component.w]\n{body}\n").startswith(problem)


def test_a_component_whose_name_no_url_or_label_can_hold_is_told() -> None:
    assert only('[component."a b"]\ntype = "dns"\n').startswith('a.toml:1: component."a b": found a table named "a b"')


def test_a_value_in_place_of_a_component_is_told() -> None:
    assert (
        only("[component]\nweb = 3\n")
        == "a.toml:2: component.web: found 3; allowed is a table, written [component.web]"
    )


def test_everything_is_told_at_once() -> None:
    text = """\
[health]
check_interval_seconds = "x"
unknown_key = 1
[auto_healing]
verify_seconds = 5
settle_seconds = 10
protect = ["!nothing", 3]
[component.web]
type = "http"
depends_on = ["databasex"]
"""

    lines = [words.split(": ")[0] for words in said(a=text)]

    assert lines == [f"a.toml:{line}" for line in (2, 3, 6, 7, 7, 8, 10)]


def test_the_defaults_are_those_of_the_manual() -> None:
    settings = load_texts()

    assert settings.health.check_interval_seconds == 30
    assert settings.health.ready_when is Status.HEALTHY
    assert settings.auto_healing.allow == ("*.service",)
    assert not settings.auto_healing.memory_cleanup_enabled
    assert not settings.auto_healing.network_restart_enabled
    assert settings.auto_healing.host_budget_actions == 10
    assert settings.auto_healing.host_budget_seconds == 600
    assert settings.services.weight == 0.35
    assert settings.unit("any.service").heal is None
    assert settings.thresholds["storage_critical_percent"] == 95
    assert "memory_warning_gb" not in settings.thresholds
    assert settings.alerting.min_severity is Severity.HIGH
    assert round(sum(component.weight for component in settings.component.values()), 9) == 1.0


def test_a_component_inherits_interval_and_time_limit_from_health() -> None:
    text = """\
[health]
check_interval_seconds = 5
health_timeout_seconds = 2
[component.x]
type = "exec"
command = "/x -w 'a b'"
"""

    settings = load_texts({"a": text})

    assert settings.component["memory"].interval_seconds == 5
    assert settings.component["memory"].timeout_seconds == 2
    assert settings.component["x"].interval_seconds == 10  # a probe program is not started oftener
    assert settings.component["x"].options["command"] == ("/x", "-w", "a b")


def test_the_weight_of_services_may_stand_in_either_of_its_tables() -> None:
    for text in ("[services]\nweight = 0.5\n", "[component.services]\nweight = 0.5\n"):
        settings = load_texts({"a": text})

        assert settings.services.weight == settings.component["services"].weight == 0.5


def test_critical_of_a_metrics_component_is_a_table_of_limits_or_true_as_everywhere() -> None:
    text = '[component.m]\ntype = "metrics"\nurl = "http://h/"\nvalues = { a = { metric = "a" } }\ncritical = '

    limited = load_texts({"a": text + "{ a = 3 }\n"}).component["m"]
    marked = load_texts({"a": text + "true\n"}).component["m"]

    assert (limited.critical, limited.options["critical"]) == (False, {"a": 3})
    assert (marked.critical, marked.options["critical"]) == (True, {})


@pytest.mark.parametrize(("word", "heal"), [("true", Heal.ON), ("false", Heal.OFF), ('"suggest"', Heal.SUGGEST)])
def test_a_unit_says_whether_it_is_healed(word: str, heal: Heal) -> None:
    assert load_texts({"a": f'[services."a.service"]\nheal = {word}\n'}).unit("a.service").heal is heal
