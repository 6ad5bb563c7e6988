"""The file itself: its schema, and the space that it owns beforehand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from healthd.record.database import RESERVE, Database
from healthd.record.schema import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def lived(file: Path) -> None:
    """healthd was started and stopped."""
    database = Database(file)
    database.load()
    database.close()


def asked(file: Path, query: str) -> Any:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchone()[0]


def test_a_new_file_is_of_the_newest_version(file: Path) -> None:
    lived(file)

    assert asked(file, "PRAGMA user_version") == len(MIGRATIONS)


def test_a_file_of_an_older_version_is_brought_up_to_date_with_what_it_holds(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(file)
    database.load()
    database.save([("a", "1")], (), unread=False)
    database.close()
    renamed = "UPDATE engine SET key = 'b' WHERE key = 'a'"
    monkeypatch.setattr("healthd.record.database.MIGRATIONS", (*MIGRATIONS, "CREATE TABLE one (x INT)", renamed))

    database = Database(file)

    assert database.load() == {"b": 1}
    database.close()
    assert asked(file, "PRAGMA user_version") == len(MIGRATIONS) + 2


def test_a_migration_that_fails_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(file)
    broken = "CREATE TABLE one (x INT); INSERT INTO nowhere VALUES (1)"
    monkeypatch.setattr("healthd.record.database.MIGRATIONS", (*MIGRATIONS, broken))

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        Database(file).load()

    assert asked(file, "PRAGMA user_version") == len(MIGRATIONS)
    assert asked(file, "SELECT count(*) FROM sqlite_schema WHERE name = 'one'") == 0


def test_an_error_that_is_not_sqlites_ends_its_transaction_too(file: Path) -> None:
    database = Database(file)
    database.load()
    with pytest.raises(UnicodeEncodeError):
        database.save([("a", "1"), ("\udcff", "2")], (), unread=False)

    database.save([("b", "3")], (), unread=False)

    assert database.load() == {"b": 3}
    database.close()


def test_the_file_owns_free_pages_beforehand(file: Path) -> None:
    lived(file)

    assert asked(file, "PRAGMA freelist_count") * asked(file, "PRAGMA page_size") >= RESERVE


def test_the_log_owns_as_much_while_healthd_runs(file: Path) -> None:
    database = Database(file)
    database.load()

    assert file.with_name("history.db-wal").stat().st_size >= RESERVE
    database.close()


def test_a_process_that_was_killed_while_it_took_its_space_takes_it_at_its_next_start(file: Path) -> None:
    lived(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE reserve (space BLOB)")
        connection.execute("INSERT INTO reserve VALUES (zeroblob(?))", (RESERVE,))

    lived(file)

    assert asked(file, "SELECT count(*) FROM sqlite_schema WHERE name = 'reserve'") == 0
    assert asked(file, "PRAGMA freelist_count") * asked(file, "PRAGMA page_size") >= RESERVE


def test_starting_again_and_again_does_not_make_the_file_grow(file: Path) -> None:
    lived(file)
    size = file.stat().st_size
    for _ in range(3):
        lived(file)

    assert file.stat().st_size == size


def test_a_file_of_nothing_is_kept_back_beside_it(file: Path) -> None:
    lived(file)

    assert file.with_name("history.db.reserve").stat().st_blocks * 512 >= RESERVE


def test_a_reserve_that_a_kill_left_without_its_space_gets_it(file: Path) -> None:
    file.with_name("history.db.reserve").touch()

    lived(file)

    assert file.with_name("history.db.reserve").stat().st_blocks * 512 >= RESERVE


def test_a_reserve_that_was_given_up_is_taken_back_with_the_next_sync(file: Path) -> None:
    database = Database(file)
    database.load()
    file.with_name("history.db.reserve").unlink()
    database.sync()
    database.close()

    assert file.with_name("history.db.reserve").stat().st_size == RESERVE


def test_a_file_that_was_never_opened_is_closed_without_a_word(file: Path) -> None:
    Database(file).close()

    assert not file.exists()
