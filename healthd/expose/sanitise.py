"""The form for clients that nothing is known about (the seed's `sanitize_for_external`): how it is, not what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from healthd.answers import HealthStatus
    from healthd.model import Health

_MEMORY_MB: Final = 1000
_PEERS: Final = 100
_VERSION: Final = "1.x.x"
_MESSAGE: Final = "OK"


def sanitised(status: HealthStatus) -> HealthStatus:
    """Memory and peers capped, a generic version, scores to one decimal, and no word about units, mounts and such."""
    return replace(
        status,
        overall_score=round(status.overall_score, 1),
        memory_mb=min(status.memory_mb, _MEMORY_MB),
        active_peers=min(status.active_peers, _PEERS),
        version=_VERSION,
        silences=(),
        health_checks={name: _component(health) for name, health in status.health_checks.items()},
        left_out={},
    )


def _component(health: Health) -> Health:
    return replace(health, score=round(health.score, 1), message=_MESSAGE, issues=(), items=(), measures=())
