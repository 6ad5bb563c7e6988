"""Other limits of [thresholds]: recorded values are judged anew, as fine as they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthd.answers import Series
from healthd.config import load_texts
from healthd.model import Item, Measure, Status
from healthd.record.readings import Readings
from healthd.simulate.judged import differing, judged_anew
from healthd.simulate.report import simulate
from tests.fake_units import service
from tests.unit.builders import UNIT
from tests.unit.record.past import database, write
from tests.unit.simulate.taped import TapedBench

if TYPE_CHECKING:
    from pathlib import Path

HALF_FULL = Series("memory", "", "used_percent")
VAR = Series("storage", "/var", "used_percent")
START = 1_760_000_400.0


def configured(text: str = "") -> Any:
    return load_texts({"a.toml": text, "b.toml": '[alerting]\nwebhook_url = "http://127.0.0.1/"\n'})


def limits(**thresholds: float) -> Any:
    return configured("[thresholds]\n" + "".join(f"{key} = {value}\n" for key, value in thresholds.items()))


def written(file: Path, values: dict[float, dict[Series, float]], bench: TapedBench | None = None) -> Path:
    readings, connection = Readings(), database(file)
    for frame in bench.taped if bench else ():
        readings.tape(frame)
    for number, (at, read) in enumerate(values.items()):
        readings.remember(at, read)
        if number % 10 == 9:
            write(connection, readings.take())
            readings.written()
    write(connection, readings.take())
    connection.close()
    return file


def found(file: Path, settings: Any, span: float = 1e6) -> list[tuple[int, str, list[str]]]:
    differ = differing(configured().thresholds, settings)
    what, _ = judged_anew(file, differ, settings, START, START + span)
    return [(round(each.at - START), "/".join(each.name), [f.type for f in each.findings]) for each in what]


def test_a_value_beyond_another_limit_is_found_after_as_many_readings_as_ever(tmp_path: Path) -> None:
    values = {START + 30 * n: {HALF_FULL: 50.0 if 4 <= n < 14 else 20.0} for n in range(40)}
    file = written(tmp_path / "history.db", values)
    failures = configured().component["memory"].failures

    (bad, well) = found(file, limits(memory_warning_percent=40, memory_critical_percent=60))

    assert bad == (30 * (3 + failures), "memory/", ["high_memory"])
    assert well[1:] == ("memory/", [])
    assert well[0] > 30 * 14


def test_each_mount_is_judged_by_itself(tmp_path: Path) -> None:
    other = Series("storage", "/", "used_percent")
    file = written(tmp_path / "history.db", {START + 30 * n: {VAR: 75.0, other: 10.0} for n in range(40)})

    assert [each[1:] for each in found(file, limits(storage_warning_percent=70))] == [("storage//var", ["disk_full"])]


def test_limits_that_are_the_same_are_not_judged_anew() -> None:
    recorded = configured().thresholds

    assert differing(recorded, configured()) == ()
    assert {each.component for each in differing(recorded, limits(storage_critical_percent=97))} == {"storage"}
    assert differing({**recorded, "memory_warning_gb": 2.0}, limits(memory_warning_percent=50)) == ()
    assert differing({}, configured()) == ()


def test_what_is_older_is_judged_by_its_means_and_that_is_said(tmp_path: Path) -> None:
    values = {START + 30 * n: {VAR: 75.0 if n < 2000 else 10.0} for n in range(9000)}
    file = written(tmp_path / "history.db", values)
    settings = limits(storage_warning_percent=70)

    what, coarse = judged_anew(file, differing(configured().thresholds, settings), settings, START, START + 30 * 9000)

    assert coarse
    assert [[finding.type for finding in each.findings] for each in what] == [["disk_full"], []]
    assert what[0].at - START < 600
    assert abs(what[1].at - START - 60_000) < 900


def disk(used: float) -> Item:
    measure = Measure(name="used_percent", value=used)
    return Item(name="/var", status=Status.HEALTHY, score=1.0, message="", measures=(measure,))


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[Path, TapedBench]:
    """A disk that was 75 % full for ten minutes, which nobody minded."""
    bench = TapedBench(service(UNIT), configuration=configured())
    bench.others["storage", "/var"] = disk(75.0)
    bench.turn()
    begin = bench.wall
    bench.later(1800.0)
    values = {begin + 30 * n: {VAR: 75.0 if 10 <= n < 30 else 10.0} for n in range(60)}
    return written(tmp_path / "history.db", values, bench), bench


def test_what_would_have_been_found_is_an_issue_that_people_are_told_of(recorded: tuple[Path, TapedBench]) -> None:
    file, bench = recorded

    report = simulate(file, limits(storage_warning_percent=70), bench.wall - 3600, bench.wall + 1)

    assert report["was"]["issues"] == {}
    assert report["would"]["issues"] == {"disk_full": 1}
    # Nothing on record shows that a cleanup would help.
    assert report["would"]["told"] == {"opened": 1, "gave_up": 1, "resolved": 1}
    assert 400 < report["would"]["down"] < 900
    assert [(each["key"], each["replayed"]) for each in report["settings"]] == [
        ("thresholds.storage_warning_percent", True)
    ]
    assert report["would"]["actions"] == {"disk_cleanup": 3}
    assert not report["coarse"]
