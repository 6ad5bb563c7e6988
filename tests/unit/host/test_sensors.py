"""Temperature sensors: which there are, by what names, with which limits, and what is not believed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from healthd.errors import Absent
from healthd.figures import Sensor
from healthd.host import LinuxHost
from healthd.host.sensors import find

if TYPE_CHECKING:
    from pathlib import Path


def chip(root: Path, number: int, name: str, **files: object) -> None:
    folder = root / f"class/hwmon/hwmon{number}"
    (folder / "device").mkdir(parents=True)
    for file, content in {"name": name, **files}.items():
        (folder / file).write_text(f"{content}\n", encoding="utf-8")


def read(root: Path) -> tuple[Sensor, ...]:
    return asyncio.run(LinuxHost(sys_root=root).sensors())


def test_a_sensor_has_the_name_of_its_chip_and_its_label_and_its_own_limits(tmp_path: Path) -> None:
    chip(tmp_path, 0, "nvme", temp1_input=41850, temp1_label="Composite", temp1_max=81850, temp1_crit=84850)
    chip(tmp_path, 1, "k10temp", temp1_input=50000, temp1_max=70000)

    assert read(tmp_path) == (
        Sensor(name="nvme Composite", celsius=41.85, high=81.85, critical=84.85),
        Sensor(name="k10temp temp1", celsius=50.0, high=70.0, critical=None),
    )


def test_of_a_processor_that_has_a_sensor_for_the_whole_of_it_the_cores_are_left_out(tmp_path: Path) -> None:
    whole = {"temp1_input": 45000, "temp1_label": "Package id 0", "temp1_max": 80000, "temp1_crit": 100000}
    core = {"temp2_input": 44000, "temp2_label": "Core 0", "temp2_max": 80000, "temp2_crit": 100000}
    chip(tmp_path, 0, "coretemp", **whole, **core)

    assert [sensor.name for sensor in read(tmp_path)] == ["coretemp Package id 0"]


def test_two_chips_of_a_kind_have_two_names(tmp_path: Path) -> None:
    for number in (0, 1):
        chip(tmp_path, number, "nvme", temp1_input=41000, temp1_label="Composite", temp1_crit=84000)
        device = tmp_path / f"class/hwmon/hwmon{number}/device"
        device.rmdir()
        target = tmp_path / f"devices/nvme{number}"
        target.mkdir(parents=True)
        device.symlink_to(target)

    assert [sensor.name for sensor in read(tmp_path)] == ["nvme Composite", "nvme Composite (nvme1)"]


@pytest.mark.parametrize("limits", [{}, {"temp1_max": 0, "temp1_crit": 0}, {"temp1_crit": 255000}, {"temp1_max": "?"}])
def test_without_a_limit_that_can_be_there_is_nothing_to_judge(tmp_path: Path, limits: dict[str, object]) -> None:
    chip(tmp_path, 0, "acpitz", temp1_input=27000, **limits)

    with pytest.raises(Absent, match="no temperature sensor"):
        read(tmp_path)


@pytest.mark.parametrize("value", [0, -128000, 255000, ""])
def test_a_value_that_cannot_be_is_not_believed(tmp_path: Path, value: object) -> None:
    chip(tmp_path, 0, "nct6775", temp1_input=value, temp1_max=80000, temp2_input=30000, temp2_max=80000)

    assert [sensor.name for sensor in read(tmp_path)] == ["nct6775 temp2"]


def test_a_limit_under_two_names_is_the_critical_one(tmp_path: Path) -> None:
    chip(tmp_path, 0, "coretemp", temp1_input=50000, temp1_max=100000, temp1_crit=100000)

    (sensor,) = read(tmp_path)
    assert (sensor.high, sensor.critical) == (None, 100.0)


def test_a_host_without_sensors_lacks_them(tmp_path: Path) -> None:
    assert find(tmp_path / "class/hwmon") == []
    with pytest.raises(Absent):
        read(tmp_path)
