"""What is wrong between values that are each right."""

from __future__ import annotations

import pytest

from healthd.config import load_texts
from tests.unit.config.said import only, said

_METRICS = '[component.m]\ntype = "metrics"\nurl = "http://h/"\nvalues = { errors = { metric = "e" } }\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[thresholds]\nmemory_warning_percent = 96\n",
            "2: thresholds.memory_warning_percent: found 96; allowed is at most memory_critical_percent, which is 95",
        ),
        (
            "[thresholds]\nmemory_warning_gb = 4\nmemory_critical_gb = 2.5\n",
            "3: thresholds.memory_critical_gb: found 2.5; allowed is at least memory_warning_gb, which is 4",
        ),
        (
            "[thresholds]\nnetwork_error_critical = 4\n",
            "2: thresholds.network_error_critical: found 4; allowed is at least network_error_warning, which is 5",
        ),
        (
            "[auto_healing]\nsettle_seconds = 31\n",
            "2: auto_healing.settle_seconds: found 31; allowed is at most verify_seconds, which is 30",
        ),
        (
            "[auto_healing]\nverify_seconds = 0.5\n",
            "2: auto_healing.verify_seconds: found 0.5; allowed is at least settle_seconds, which is 1",
        ),
        (
            "[auto_healing]\nbackoff_max_seconds = 5\n",
            "2: auto_healing.backoff_max_seconds: found 5; allowed is at least backoff_seconds, which is 10",
        ),
        (
            '[auto_healing]\nprotect = ["x.service", "!polkitd"]\n',
            '2: auto_healing.protect[1]: "!polkitd" takes nothing out; did you mean "!polkit"?',
        ),
        (
            '[auto_healing]\nprotect = [\n"!getty@tty1.service"\n]\n',
            '3: auto_healing.protect[0]: "!getty@tty1.service" takes nothing out; did you mean "!getty@*"?',
        ),
        (
            '[services."a.service"]\nactions = ["run_unit:systemd-halt.service"]\n',
            '2: services."a.service".actions[0]: systemd-halt.service is protected; name a oneshot unit of your own',
        ),
        (
            '[http]\ntls_key = "/k"\n',
            "2: http.tls_key: set without tls_certificate; set tls_certificate as well, or neither",
        ),
        (
            "[services]\nweight = 0.2\n[component.services]\nweight = 0.3\n",
            (
                "4: component.services.weight: two weights for the component services; "
                "[services] says 0.2; leave one of them out"
            ),
        ),
        (
            '[component.cpu]\ndepends_on = ["storages"]\n',
            '2: component.cpu.depends_on[0]: there is no component "storages"; did you mean "storage"?',
        ),
        (
            '[component.cpu]\ndepends_on = ["cpu"]\n',
            "2: component.cpu.depends_on[0]: cpu depends on itself; no component may depend on itself",
        ),
        (
            '[component.x]\ntype = "exec"\ncommand = ["/x"]\ninterval_seconds = 5\n',
            "4: component.x.interval_seconds: found 5; allowed is at least 10 for type exec",
        ),
        (
            '[component.c]\ntype = "certificate"\npath = "/c.pem"\nwarning_days = 3\n',
            "4: component.c.warning_days: found 3; allowed is at least critical_days, which is 7",
        ),
        (
            '[component.c]\ntype = "certificate"\npath = "/c.pem"\naddress = "h:443"\n',
            "1: component.c: it must say path or address; set one of the two",
        ),
        (
            '[component.u]\ntype = "unit"\nunit = "a.service"\nmemory_warning_mb = 5\nmemory_critical_mb = 3\n',
            "5: component.u.memory_critical_mb: found 3; allowed is at least memory_warning_mb, which is 5",
        ),
        (
            _METRICS + "warning = { errs = 1 }\n",
            '5: component.m.warning.errs: there is no value "errs"; did you mean "errors"?',
        ),
        (
            _METRICS + "score = [\n  { when = { x = { min = 1 } }, score = 1 },\n]\n",
            '6: component.m.score[0].when.x: there is no value "x"; values are errors',
        ),
        (
            _METRICS + "warning = { errors = 5 }\ncritical = { errors = 3 }\n",
            "5: component.m.warning.errors: found 5; allowed is at most critical, which is 3",
        ),
        (
            "[thresholds]\nnosuch_error_warning = 3\n",
            '2: thresholds.nosuch_error_warning: unknown key; did you mean "consensus_error_warning"?',
        ),
    ],
)
def test_a_contradiction_or_dangling_reference_is_told_where_it_was_written(text: str, problem: str) -> None:
    assert only(text) == f"a.toml:{problem}"


def test_a_circle_of_dependencies_is_told_at_each_of_its_members() -> None:
    text = '[component.cpu]\ndepends_on = ["memory"]\n[component.memory]\ndepends_on = ["cpu"]\n'

    assert len(said(a=text)) == 2


def test_a_contradiction_is_told_of_the_later_file() -> None:
    problems = said(a="[auto_healing]\nsettle_seconds = 20\n", b="[auto_healing]\nverify_seconds = 10\n")

    assert problems == [
        "b.toml:2: auto_healing.verify_seconds: found 10; allowed is at least settle_seconds, which is 20"
    ]


def test_nothing_is_derived_from_a_value_that_is_wrong_itself() -> None:
    problems = said(a='[auto_healing]\nverify_seconds = "60"\nsettle_seconds = 40\n')

    assert [problem.split(": ")[0] for problem in problems] == ["a.toml:2"]


@pytest.mark.parametrize(
    "text",
    [
        "[auto_healing]\nbackoff_seconds = 900\nbackoff_max_seconds = 0\n",  # no bound
        '[auto_healing]\nprotect = ["!dbus*", "a.service"]\n',
        '[component.cpu]\ndepends_on = ["network"]\n[component.memory]\ndepends_on = ["cpu", "network"]\n',
        '[component.web]\ntype = "heartbeat"\nevery_seconds = 60\n[thresholds]\nweb_error_warning = 3\n',
        '[http]\ntls_key = "/k"\ntls_certificate = "/c"\n',
        _METRICS + "score = [ { when = { errors = { min = 1, max = 2 } }, score = 0 }, { score = 1 } ]\n",
        "[services]\nweight = 0.3\n[component.services]\nweight = 0.3\n",
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(text: str) -> None:
    assert said(a=text) == []


@pytest.mark.parametrize(
    ("unit", "words"),
    [("dbus.service", "the unit is protected"), ("a.socket", "the unit is not in [auto_healing] allow")],
)
def test_asking_to_heal_what_may_not_be_touched_is_a_warning(unit: str, words: str) -> None:
    (warning,) = load_texts({"a": f'[services."{unit}"]\nheal = true\n'}).warnings

    assert str(warning) == f'a:2: services."{unit}".heal: it will not be healed; {words}'
