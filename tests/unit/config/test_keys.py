"""The file of API keys: what is taken, what is left out and said, and that a key is known by its hash alone."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.config.keys import ApiKey, Keys, Scope, parse, read_keys

if TYPE_CHECKING:
    from pathlib import Path

KEY = "healthd_one"
DIGEST = sha256(KEY.encode()).hexdigest()
LINE = f"prometheus read sha256:{DIGEST} 2026-11-25T10:00:00Z"


def test_a_line_is_a_name_scopes_a_hash_and_a_date() -> None:
    keys = parse(f"# keys\n\n  {LINE}\ncron read,heartbeat sha256:{'0' * 64}\n", "keys")

    assert keys.problems == ()
    assert keys.entries == (
        ApiKey(name="prometheus", scopes=frozenset({Scope.READ}), digest=DIGEST, created="2026-11-25T10:00:00Z"),
        ApiKey(name="cron", scopes=frozenset({Scope.READ, Scope.HEARTBEAT}), digest="0" * 64),
    )


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("prometheus", "not NAME SCOPES HASH"),
        (f"{LINE} more", "not NAME SCOPES HASH"),
        (f"-x read sha256:{DIGEST}", "the name is not"),
        (f"{'x' * 65} read sha256:{DIGEST}", "the name is not"),
        (f"x write sha256:{DIGEST}", "the scopes are not of read, control, heartbeat"),
        (f"x read, sha256:{DIGEST}", "the scopes are not"),
        (f"x read {DIGEST}", "the hash is not"),
        (f"x read sha256:{DIGEST[:-1]}", "the hash is not"),
        (f"x read sha256:{DIGEST} yesterday", "not a date"),
    ],
)
def test_a_line_that_is_not_understood_is_named_and_left_out_and_never_shown(line: str, wrong: str) -> None:
    keys = parse(f"{LINE}\n{line}\n", "/etc/healthd/api-keys")

    (problem,) = keys.problems
    assert problem.startswith("/etc/healthd/api-keys:2: ")
    assert wrong in problem
    assert DIGEST[:20] not in problem
    assert [entry.name for entry in keys.entries] == ["prometheus"]


def test_of_two_lines_of_one_name_the_first_holds() -> None:
    keys = parse(f"{LINE}\nprometheus control sha256:{'0' * 64}\n", "keys")

    assert [entry.scopes for entry in keys.entries] == [frozenset({Scope.READ})]
    assert "a second key named prometheus" in keys.problems[0]


@given(st.text(max_size=200))
def test_whatever_stands_in_the_file_it_is_read_to_its_end(text: str) -> None:
    keys = parse(f"{text}\n{LINE}", "keys")

    assert DIGEST in {entry.digest for entry in keys.entries}


def test_a_key_is_found_by_its_hash_and_nothing_else_is() -> None:
    keys = parse(LINE, "keys")

    found = keys.find(KEY)
    assert found is not None
    assert found.name == "prometheus"
    assert [keys.find(other) for other in ("", DIGEST, f"sha256:{DIGEST}", KEY + " ", "prometheus")] == [None] * 5


def test_every_entry_is_compared_though_the_first_one_is_it(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    keys = parse("\n".join([LINE, *(f"other-{number} read sha256:{number:064x}" for number in range(9))]), "keys")

    assert keys.find(KEY) is not None
    assert len(compared) == 10


def test_no_file_holds_no_keys_and_is_no_problem(tmp_path: Path) -> None:
    assert read_keys(tmp_path / "api-keys") == Keys()


def test_an_entry_is_written_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "api-keys"
    path.write_text(LINE)
    path.chmod(0o640)

    (entry,) = read_keys(path).entries
    assert entry.line() == LINE


@pytest.mark.parametrize("mode", [0o660, 0o642])
def test_a_file_that_others_may_write_is_told_of(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "api-keys"
    path.write_text(LINE)
    path.chmod(mode)

    keys = read_keys(path)
    assert len(keys.entries) == 1
    assert "chmod 0640" in keys.problems[0]


def test_what_is_no_file_of_keys_holds_none(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_bytes(b"#" * (1024 * 1024 + 1))

    for path in (pipe, large, tmp_path):
        keys = read_keys(path)
        assert keys.entries == ()
        assert keys.problems


def test_a_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    (problem,) = read_keys(loop).problems
    assert "cannot be read" in problem
    assert "chown root:healthd" in problem
