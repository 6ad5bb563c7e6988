"""Any of the services that the library apprise knows, if that is installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.config.kinds import each_of
from healthd.letters import Why
from healthd.model import Severity
from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The addresses as apprise writes them, which are secrets as well."""

    urls: tuple[str, ...]


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs. A credential holds addresses, apart by spaces or lines."""
    return Options(urls=each_of(settings.apprise_urls, reveal))


async def send(ways: Ways, letter: Letter, options: Options) -> None:
    """Tell the one address that is left of them: each is told by itself."""
    parts = (letter.text, letter.changed and f"Changed before: {letter.changed}", "\n".join(letter.evidence))
    body = "\n".join((*filter(None, parts), *letter.hints)) or letter.title
    for url in options.urls:
        await ways.apprise(url, f"{letter.host}: {letter.title}", body, _kind(letter))


def _kind(letter: Letter) -> str:
    if letter.over:
        return "success"
    if letter.note or letter.why is Why.TEST:
        return "info"
    return "failure" if letter.severity in (Severity.HIGH, Severity.CRITICAL) else "warning"


def _label(number: int, _url: str) -> str:
    return f"address {number} of apprise_urls"


RECEIVER = ReceiverSpec(name="apprise", options=options, send=send, each="urls", label=_label)
