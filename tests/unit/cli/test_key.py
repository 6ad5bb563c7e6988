"""`healthctl key`, on a file of its own and without a daemon."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from healthd.cli import key
from healthd.cli.main import main
from healthd.config.keys import Scope, read_keys

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "api-keys"
    monkeypatch.setattr(key, "KEYS_FILE", path)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.fchown", lambda *_: None)
    monkeypatch.setattr(key, "_GROUP", "no-such-group")
    return path


def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What it prints, on stdout or, for a code other than 0, on stderr."""
    assert main(["--socket", str(tmp_path / "none"), "key", *words]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_a_key_is_shown_once_as_the_last_word_and_only_its_hash_is_kept(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(tmp_path, capsys, "add", "prometheus")
    made = out.split()[-1]

    assert out.splitlines()[0] == (
        "The key prometheus, scope read, is added; healthd does not run, and reads it at its next start."
    )
    assert out.splitlines()[-1] == made
    assert len(made) == len("healthd_") + 43
    assert made not in file.read_text()
    entry = read_keys(file).find(made)
    assert entry is not None
    assert (entry.name, entry.scopes) == ("prometheus", frozenset({Scope.READ}))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_two_keys_are_never_the_same(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {said(tmp_path, capsys, "add", f"key-{number}").split()[-1] for number in range(5)}

    assert len(keys) == 5


@pytest.mark.parametrize("scope", list(Scope))
def test_a_key_has_the_scope_that_is_named(
    scope: Scope, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = json.loads(said(tmp_path, capsys, "add", "x", "--scope", scope, "--json"))

    assert answer["scopes"] == [scope]
    found = read_keys(file).find(answer["key"])
    assert found is not None
    assert found.scopes == {scope}


def test_a_name_that_is_there_is_refused_and_nothing_changes(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(tmp_path, capsys, "add", "x")
    before = file.read_text()

    assert "there is a key named x already (healthctl key revoke x" in said(tmp_path, capsys, "add", "x", code=1)
    assert file.read_text() == before


@pytest.mark.parametrize("name", ["", "a b", ".hidden", "x" * 65, "ä", "a\nb"])
def test_what_cannot_be_a_name_is_refused(
    name: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be the name of a key" in said(tmp_path, capsys, "add", name, code=64)
    assert not file.exists()


def test_the_list_shows_names_scopes_and_dates_and_never_a_hash(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(tmp_path, capsys, "add", "prometheus")
    said(tmp_path, capsys, "add", "job", "--scope", "heartbeat")
    lines = said(tmp_path, capsys, "list").splitlines()

    assert [line.split()[:2] for line in lines] == [["prometheus", "read"], ["job", "heartbeat"]]
    assert "sha256" not in "".join(lines)
    value = json.loads(said(tmp_path, capsys, "list", "--json"))
    assert [set(one) for one in value] == [{"name", "scopes", "created"}] * 2


def test_an_empty_list_says_how_to_make_a_key(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "healthctl key add NAME" in said(tmp_path, capsys, "list")
    assert json.loads(said(tmp_path, capsys, "list", "--json")) == []


def test_a_line_that_is_not_understood_is_told_by_the_list(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("prometheus\n")
    file.chmod(0o640)

    assert f"healthctl: {file}:1: not NAME SCOPES HASH" in said(tmp_path, capsys, "list", code=1)


def test_a_revoked_key_is_gone_and_the_rest_of_the_file_stays(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("# of the monitoring team\n")
    said(tmp_path, capsys, "add", "x")
    said(tmp_path, capsys, "add", "y")

    assert said(tmp_path, capsys, "revoke", "x").startswith("The key x is revoked")
    assert file.read_text().splitlines()[0] == "# of the monitoring team"
    assert [entry.name for entry in read_keys(file).entries] == ["y"]
    assert "there is no key named x" in said(tmp_path, capsys, "revoke", "x", code=1)


@pytest.mark.parametrize("words", [("add", "x"), ("revoke", "x")])
def test_only_root_changes_keys(
    words: tuple[str, str],
    file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    err = said(tmp_path, capsys, *words, code=1)
    assert err == f"healthctl: only root may change the keys (sudo healthctl key {words[0]} x)\n"


def test_a_folder_that_cannot_be_written_is_one_line(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key, "KEYS_FILE", tmp_path / "nowhere" / "api-keys")

    err = said(tmp_path, capsys, "add", "x", code=1)
    assert err.count("\n") == 1
    assert "cannot be changed: No such file or directory" in err


def test_what_goes_wrong_in_the_middle_leaves_the_old_file_and_nothing_else(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(tmp_path, capsys, "add", "x")
    before = file.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert "No space left" in said(tmp_path, capsys, "add", "y", code=1)
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]
