"""Temperature sensors. Neither containers nor emulated machines have one: files stand where the kernel shows them."""

from __future__ import annotations

from typing import Final

from bench.accuracy.scene import Label, Place, Scene
from bench.accuracy.scenes.shapes import HARMLESS, reported

_WARM: Final = Place(name="warm", together=False, settings="[health]\ncheck_interval_seconds = 1\n")

_CLASS: Final = "/run/class"
_CHIP: Final = f"{_CLASS}/hwmon/hwmon0"
_THERE: Final = (
    f"if [ ! -d {_CHIP} ]; then cp -a /sys/class {_CLASS} 2> /dev/null || :\n"
    f"mkdir -p {_CHIP}; mount --bind {_CLASS} /sys/class; fi\n"
    f"cd {_CHIP}; echo coretemp > name; echo 'Package id 0' > temp1_label; echo 45000 > temp1_input\n"
    "echo 80000 > temp1_max; echo 100000 > temp1_crit\n"
)
"""A processor of 45 °C that is to stay below 80 °C, and has itself shut down at 100 °C."""

_SETTLES: Final = "systemctl restart healthd; healthctl check temperature > /dev/null || :\n"


def _scene(name: str, *readings: float, label: Label = HARMLESS) -> Scene:
    """It shows so many degrees, for as many seconds each."""
    shown = "".join(f"echo {round(each * 1000)} > {_CHIP}/temp1_input; sleep 1\n" for each in readings)
    return Scene(
        name=name,
        component="temperature",
        label=label,
        before=_THERE + _SETTLES,
        make=shown,
        unmake=f"echo 45000 > {_CHIP}/temp1_input",
        owns=("temperature",),
        place=_WARM,
        watch=6,
    )


_HOT: Final = reported("pressure", component="temperature")

SCENES: Final[tuple[Scene, ...]] = (
    _scene("sensor-warm", 60, 75, 79.5),
    _scene("sensor-hot-for-a-moment", 85, 45),
    _scene("sensor-unplugged", -128, -128, -128, -128),
    _scene("sensor-says-what-cannot-be", 255, 255, 255, 255),
    _scene("sensor-hot", 70, 85, 88, label=_HOT),
    _scene("sensor-critical", 99, 101, 103, label=_HOT),
)
