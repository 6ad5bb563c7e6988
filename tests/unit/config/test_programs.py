"""What systemd is told of the programs of exec components: the command as it was written, whatever is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from healthd.config import load, load_texts
from healthd.config.programs import drop_ins, quoted
from healthd.errors import ConfigError

TABLE = '[component."disk.root-1"]\ntype = "exec"\ncommand = ["/bin/check", "-w", "10%"]\n'


def test_a_drop_in_says_who_runs_what_and_for_how_long() -> None:
    ((path, text),) = drop_ins(load_texts({"a": TABLE + 'user = "postgres"\ntimeout_seconds = 2.5\n'})).items()

    assert path == "healthd-check@disk.root-1.service.d/50-healthd.conf"
    settings = [line for line in text.splitlines() if not line.startswith("#")]
    assert settings == [
        "[Service]",
        "User=postgres",
        "ExecStart=",
        'ExecStart=:"/bin/check" "-w" "10%%"',
        "TimeoutStartSec=2.500s",
    ]


def test_nobody_is_named_by_his_number_so_that_systemd_does_not_complain() -> None:
    ((_, text),) = drop_ins(load_texts({"a": TABLE})).items()

    assert "User=65534\n" in text


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ('say "hi"', r'"say \"hi\""'),
        ("back\\slash", r'"back\\slash"'),
        ("100%", '"100%%"'),
        ("$HOME ${x}", '"$HOME ${x}"'),
        (";", '";"'),
        ("it's é", '"it\'s é"'),
    ],
)
def test_a_word_stands_for_itself(word: str, written: str) -> None:
    assert quoted(word) == written


def test_other_components_have_no_program() -> None:
    assert drop_ins(load_texts()) == {}


CLEANUP = "healthd-disk-cleanup.service.d/50-healthd.conf"
REHEARSAL = "healthd-dry-run@disk-cleanup.service.d/50-healthd.conf"


def test_the_disk_cleanup_and_its_dry_run_go_by_the_limit_of_storage() -> None:
    found = drop_ins(load_texts({"a": "[thresholds]\nstorage_warning_percent = 70.5\n"}))

    assert found.keys() == {CLEANUP, REHEARSAL}
    assert found[CLEANUP] == found[REHEARSAL]
    assert "Environment=HEALTHD_FULL=7050 HEALTHD_JOURNAL_BYTES=104857600\n" in found[CLEANUP]


def test_the_disk_cleanup_may_write_to_the_folders_of_logs_and_its_dry_run_may_not() -> None:
    table = '[auto_healing]\ndisk_cleanup_log_directories = ["/var/log/a b%", "/srv/log/"]\n'

    found = drop_ins(load_texts({"a": table}))

    assert 'Environment="HEALTHD_LOG_DIRECTORIES=/var/log/a b%%:/srv/log"\n' in found[REHEARSAL]
    assert found[CLEANUP] == (found[REHEARSAL] + 'ReadWritePaths="-/var/log/a b%%"\nReadWritePaths="-/srv/log"\n')


def test_homes_are_opened_to_the_disk_cleanup_only_for_folders_that_are_in_them() -> None:
    inside, outside = (
        drop_ins(load_texts({"a": f'[auto_healing]\ndisk_cleanup_log_directories = ["{folder}"]\n'}))[CLEANUP]
        for folder in ("/home/app/log", "/homeless/log")
    )

    assert "ProtectHome=read-only\n" in inside
    assert "ProtectHome" not in outside


@pytest.mark.parametrize("folder", ["", "/", "//", "log", "/a/../b", "/a/./b", "/a//b", "/a:b", "/a\\u0000b"])
def test_a_folder_of_logs_is_a_plain_path(folder: str) -> None:
    with pytest.raises(ConfigError, match="disk_cleanup_log_directories"):
        load_texts({"a": f'[auto_healing]\ndisk_cleanup_log_directories = ["{folder}"]\n'})


def test_the_script_of_the_disk_cleanup_has_the_same_defaults() -> None:
    script = (Path(__file__).parents[3] / "systemd/disk-cleanup").read_text(encoding="utf-8")

    assert f"${{HEALTHD_FULL:-{round(load_texts().thresholds['storage_warning_percent'] * 100)}}}" in script
    assert f"${{HEALTHD_JOURNAL_BYTES:-{load_texts().auto_healing.disk_cleanup_journal_mb * 2**20}}}" in script


def test_a_program_that_is_not_there_is_warned_of_where_it_stands(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.touch()
    config = tmp_path / "healthd.toml"
    config.write_text(
        f'[component.a]\ntype = "exec"\ncommand = ["{there}"]\n'
        f'[component.b]\ntype = "exec"\ncommand = ["{tmp_path}/gone"]\n'
    )
    config.chmod(0o600)

    (warning,) = load(config).warnings

    assert (warning.line, warning.key) == (6, "component.b.command")
    assert warning.found == f"there is no program {tmp_path}/gone"
