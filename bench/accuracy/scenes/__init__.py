"""All scenes, by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.accuracy.scenes import (
    calm,
    circumstances,
    ends,
    hosts,
    machines,
    numbers,
    operator,
    probes,
    reported,
    roots,
    sensors,
)

if TYPE_CHECKING:
    from bench.accuracy.scene import Scene

SCENES: Final[tuple[Scene, ...]] = (
    *ends.SCENES,
    *reported.SCENES,
    *roots.SCENES,
    *operator.SCENES,
    *calm.SCENES,
    *probes.SCENES,
    *numbers.SCENES,
    *hosts.SCENES,
    *circumstances.SCENES,
    *machines.SCENES,
    *sensors.SCENES,
)
