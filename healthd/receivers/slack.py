"""Slack, by an incoming webhook: blocks with the cause, what healthd did, what had changed, and the evidence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from healthd.letters import Why
from healthd.model import Severity
from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways

_HEADER_CHARS: Final = 150  # of Slack; a section takes 3000
_SECTION_CHARS: Final = 2900
_MOST_ISSUES: Final = 10
_COLOURS: Final = {
    Severity.CRITICAL: "#a30200",
    Severity.HIGH: "#e01e5a",
    Severity.MEDIUM: "#ecb22e",
    Severity.LOW: "#8d8d8d",
}
_OVER: Final = "#2eb67d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The address of the webhook, which is the secret as well."""

    url: str


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs."""
    return Options(url=reveal(settings.slack_webhook_url))


async def send(ways: Ways, letter: Letter, options: Options) -> None:
    """Post a message."""
    await ways.post(options.url, json.dumps(message(letter), ensure_ascii=False).encode(), {})


def message(letter: Letter) -> dict[str, Any]:
    """The message as Slack wants it: `text` for notifications, blocks for the eye."""
    head = f"{_sign(letter)} {letter.host}: {letter.title}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(head, _HEADER_CHARS), "emoji": True}}
    ]
    said = [escaped(letter.text)] if letter.text else []
    others = [issue for issue in letter.issues[1:] if issue.open]
    if others:
        named = ", ".join(f"`{escaped(issue.id)}`" for issue in others[:_MOST_ISSUES])
        more = f" and {len(others) - _MOST_ISSUES} more" if len(others) > _MOST_ISSUES else ""
        said.append(f"*Also:* {named}{more}")
    if letter.changed:
        said.append(f"*Changed before:* {escaped(letter.changed)}")
    if said:
        blocks.append(_section("\n".join(said)))
    if letter.evidence and not letter.over:
        lines = escaped("\n".join(letter.evidence)).replace("```", "'''")
        blocks.append(_section(f"```{_cut(lines, _SECTION_CHARS - 10)}```"))
    when = f"<!date^{letter.opened_at:.0f}^{{date_short_pretty}} {{time_secs}}|{letter.opened_at:.0f}>"
    facts = [letter.level, f"since {when}", *(f"`{escaped(hint)}`" for hint in letter.hints)]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut("  ·  ".join(facts), 1900)}]})
    colour = _OVER if letter.over else _COLOURS[letter.severity]
    return {"text": _cut(escaped(head), _SECTION_CHARS), "attachments": [{"color": colour, "blocks": blocks}]}


def _sign(letter: Letter) -> str:
    if letter.over:
        return ":white_check_mark:"
    if letter.gave_up:
        return ":sos:"
    return ":information_source:" if letter.note or letter.why is Why.TEST else ":rotating_light:"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _SECTION_CHARS)}}


def escaped(text: str) -> str:
    """Without what Slack would take for a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


RECEIVER = ReceiverSpec(name="slack", options=options, send=send)
