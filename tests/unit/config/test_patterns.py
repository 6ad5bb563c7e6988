"""Patterns of unit names, and the units that may be acted on."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from healthd.config import load_texts, matches, permitted, repair_units
from healthd.config.patterns import PROTECTED, UNIT_TYPES, is_unit_name, translate
from healthd.model import HoldReason
from tests.unit.config.said import STEADY

PATTERNS = st.text(alphabet="ab*?[!-]@.\\x", min_size=1, max_size=10).map(
    lambda text: text if text.endswith("b") else f"{text}.service"
)
NAMES = st.text(alphabet="ab-@.\\x:_", min_size=1, max_size=8).map(lambda text: f"{text}.service")


@STEADY
@given(PATTERNS, NAMES)
def test_a_pattern_fits_what_the_shells_patterns_fit(pattern: str, name: str) -> None:
    try:
        translate(pattern)
    except ValueError:
        assume(False)
    stem = name.removesuffix(".service")
    assume("[^" not in pattern)

    fits = fnmatchcase(name, pattern) or (not pattern.endswith(".service") and fnmatchcase(stem, pattern))

    assert matches([pattern], name) == fits


def test_a_pattern_of_many_stars_takes_no_endless_time() -> None:
    assert not matches(["*a" * 30 + "b.service"], "a" * 240 + ".service")


def test_a_pattern_without_a_type_fits_units_of_every_type() -> None:
    assert all(matches(["ssh"], f"ssh.{kind}") for kind in UNIT_TYPES)
    assert not matches(["ssh"], "sshd.service")
    assert not matches(["ssh"], "ssh.d.service")


def test_a_pattern_with_a_type_fits_that_type_only() -> None:
    assert matches(["*.service"], "a.service")
    assert not matches(["*.service"], "a.service.mount")


def test_a_backslash_is_itself() -> None:
    assert matches(["dev-a\\x2d*.device"], "dev-a\\x2db.device")
    assert not matches(["dev-a\\x2d*.device"], "dev-ax2db.device")


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("nginx.service", True),
        ("getty@tty1.service", True),
        ("a@b@c.service", True),
        ("dev-disk-by\\x2duuid-1.device", True),
        ("a:b_c-d.e.service", True),
        ("getty@.service", False),
        ("@a.service", False),
        ("nginx", False),
        ("nginx.conf", False),
        (".service", False),
        ("", False),
        ("a b.service", False),
        ("a/b.service", False),
        ("ü.service", False),
        ("a.service\n", False),
        (f"{'a' * 247}.service", True),
        (f"{'a' * 248}.service", False),
    ],
)
def test_unit_names_are_what_systemd_takes_for_one(name: str, valid: bool) -> None:
    assert is_unit_name(name) == valid


@pytest.mark.parametrize(
    "unit",
    [
        "dbus.service",
        "dbus.socket",
        "dbus-broker.service",
        "polkit.service",
        "polkit-agent-helper.socket",
        "systemd-logind.service",
        "systemd-poweroff.service",
        "systemd-networkd-wait-online.service",
        "rescue.service",
        "rescue.target",
        "emergency.service",
        "debug-shell.service",
        "initrd-switch-root.service",
        "getty@tty1.service",
        "serial-getty@ttyS0.service",
        "user@1000.service",
        "user-runtime-dir@1000.service",
        "apt-daily.service",
        "apt-daily-upgrade.timer",
        "unattended-upgrades.service",
        "healthd.service",
        "healthd-deliver.path",
        "poweroff.target",
        "reboot.target",
        "ctrl-alt-del.target",
    ],
)
def test_the_built_in_list_holds_however_wide_allow_is(unit: str) -> None:
    settings = load_texts({"a": '[auto_healing]\nallow = ["*"]\n'})

    assert permitted(settings, unit) is HoldReason.PROTECTED


@pytest.mark.parametrize(
    "unit",
    [
        "systemd-networkd.service",
        "systemd-resolved.service",
        "systemd-timesyncd.service",
        "nginx.service",
        "a@b.service",
    ],
)
def test_services_of_the_host_are_permitted_by_default(unit: str) -> None:
    assert permitted(load_texts(), unit) is None


@pytest.mark.parametrize("unit", ["ssh.socket", "multi-user.target", "nonsense", "a b.service", ""])
def test_what_is_no_service_is_not_allowed_by_default(unit: str) -> None:
    assert permitted(load_texts(), unit) is HoldReason.NOT_ALLOWED


def test_protect_adds_to_the_list_and_takes_entries_out() -> None:
    settings = load_texts(
        {"a": '[auto_healing]\nprotect = ["db", "systemd-resolved.service", "!getty@*", "!systemd-*"]\n'}
    )

    assert permitted(settings, "db.service") is HoldReason.PROTECTED
    assert permitted(settings, "systemd-resolved.service") is HoldReason.PROTECTED
    assert permitted(settings, "getty@tty1.service") is None
    assert permitted(settings, "systemd-logind.service") is None
    assert permitted(settings, "serial-getty@a.service") is HoldReason.PROTECTED


@pytest.mark.parametrize("entry", PROTECTED)
def test_every_entry_of_the_list_can_be_taken_out(entry: str) -> None:
    unit = entry.replace("*", "x")
    unit = unit if "." in unit else f"{unit}.service"
    text = f'[auto_healing]\nallow = ["*"]\nprotect = ["!{entry}"]\n'

    assert permitted(load_texts({"a": text}), unit) is None


def test_the_units_of_run_unit_actions_are_known_once_each() -> None:
    text = """\
[services."a.service"]
actions = ["restart_unit", "run_unit:z.service"]
[services."b.service"]
actions = ["run_unit:z.service", "run_unit:y.service"]
"""

    assert repair_units(load_texts({"a": text})) == ("y.service", "z.service")
