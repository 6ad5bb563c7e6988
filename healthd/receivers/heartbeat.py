"""A dead man's switch: a service elsewhere that is asked for again and again, and tells people when nobody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The address, which is the secret as well."""

    url: str


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs."""
    return Options(url=reveal(settings.heartbeat_url))


async def send(ways: Ways, _letter: Letter, options: Options) -> None:
    """Ask for it; that is all that such services want."""
    await ways.get(options.url)


RECEIVER = ReceiverSpec(name="heartbeat", options=options, send=send)
