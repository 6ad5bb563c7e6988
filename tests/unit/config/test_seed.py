"""The configuration that the whole system comes from, verbatim."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd.config import load

SEED = Path(__file__).with_name("seed.toml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    drop_in = tmp_path / "conf.d" / "seed.toml"
    drop_in.parent.mkdir()
    drop_in.write_bytes(SEED.read_bytes())
    drop_in.chmod(0o640)
    (tmp_path / "healthd.toml").touch()
    return tmp_path


def test_the_seeds_file_as_a_drop_in_means_what_it_says(folder: Path) -> None:
    settings = load(folder / "healthd.toml")

    assert settings.health.check_interval_seconds == 30
    assert settings.health.health_timeout_seconds == 10
    assert settings.health.auto_healing_enabled
    assert settings.health.max_healing_attempts == 3
    assert settings.auto_healing.memory_cleanup_enabled
    assert settings.auto_healing.network_restart_enabled
    assert settings.auto_healing.service_restart_enabled
    assert settings.auto_healing.disk_cleanup_enabled
    assert settings.thresholds["memory_warning_gb"] == 2.0
    assert settings.thresholds["memory_critical_gb"] == 4.0
    assert settings.thresholds["network_error_warning"] == 5
    assert settings.thresholds["network_error_critical"] == 20
    assert settings.thresholds["consensus_error_warning"] == 3
    assert settings.thresholds["consensus_error_critical"] == 10
    assert settings.alerting.slack_webhook_url == "https://hooks.slack.com/..."
    assert settings.alerting.email_notifications == ("ops@bitcraps.com",)
    assert settings.alerting.pagerduty_key == "your-pagerduty-key"


def test_the_seeds_file_is_no_reason_to_warn_when_only_its_owner_reads_it(folder: Path) -> None:
    assert load(folder / "healthd.toml").warnings == ()


def test_the_seeds_secrets_in_a_file_for_everybody_are_warned_of(folder: Path) -> None:
    (folder / "conf.d" / "seed.toml").chmod(0o644)

    warnings = load(folder / "healthd.toml").warnings

    assert [warning.key for warning in warnings] == ["alerting.slack_webhook_url", "alerting.pagerduty_key"]
    assert all("your-pagerduty-key" not in str(warning) for warning in warnings)
