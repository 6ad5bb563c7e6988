"""A webhook of the operator's own: the letter as it is, in JSON, signed if there is a secret."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where it goes. `secret` "": it is not signed."""

    url: str
    secret: str = ""


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs."""
    return Options(url=reveal(settings.webhook_url), secret=reveal(settings.webhook_secret))


async def send(ways: Ways, letter: Letter, options: Options) -> None:
    """Post the letter. The signature is over the time and the body, so that an old one cannot be sent again unseen."""
    body = letter.to_json()
    headers = {"Idempotency-Key": letter.id, "X-Healthd-Alert": letter.key}
    if options.secret:
        stamp = f"{letter.at:.0f}"
        signed = hmac.new(options.secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
        headers |= {"X-Healthd-Timestamp": stamp, "X-Healthd-Signature": f"sha256={signed}"}
    await ways.post(options.url, body, headers)


RECEIVER = ReceiverSpec(name="webhook", options=options, send=send)
