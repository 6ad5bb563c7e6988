"""An issue as a story: what is wrong, since when, what has been tried, and what healthd does about it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.cli import words
from healthd.cli.text import RED, YELLOW, ahead, plain, since, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.cli.text import Style

    Issue = Mapping[str, Any]


def summary(issue: Issue, now: float) -> str:
    """`service is down, high, since 14:02:11 (3 min ago), attempt 2 of 3`."""
    parts = [words.issue_words(issue["type"]), issue["severity"], since(issue["opened_at"], now), attempts(issue)]
    return ", ".join(plain(part) for part in parts if part)


def attempts(issue: Issue) -> str:
    """`attempt 2 of 3`; nothing before the first."""
    if not issue["attempts"]:
        return ""
    limit = f" of {issue['max_attempts']}" if issue["max_attempts"] else ""
    return f"attempt {issue['attempts']}{limit}"


def doing(issue: Issue, now: float, style: Style) -> str:
    """What healthd does about it now, and until when."""
    if issue["healing"]:
        return style.paint("healing it now", YELLOW)
    if issue["gave_up"] and issue["hold"] in (None, "gave_up"):
        return style.paint(held("gave_up", issue["hold_text"], issue["until"], now), RED)
    if issue["hold"] is not None:
        return held(issue["hold"], issue["hold_text"], issue["until"], now)
    if issue["hold_text"]:
        return plain(issue["hold_text"])  # nothing holds it, and there is nothing to be done
    return "will decide in a moment"


def held(reason: str, text: str, till: float | None, now: float) -> str:
    """Why nothing is done: in a few words, then what the daemon says about this case, and until when."""
    parts = [words.hold_words(reason), text or words.hold_meaning(reason)]
    if till is None:
        when = ""
    else:
        when = f"; next try at {ahead(till, now)}" if reason == "gave_up" else f", {until(till, now)}"
    return plain(": ".join(part for part in parts if part)) + when


def advice(issue: Issue) -> str:
    """What the operator can do about what holds it; "" where nothing does."""
    reason = "gave_up" if issue["gave_up"] and issue["hold"] is None else issue["hold"]
    if reason is None or issue["healing"]:
        return ""
    name = issue["item"] or issue["component"]
    if issue.get("suggestion"):
        name = issue["suggestion"]["command"].removeprefix("healthctl heal ")
    return plain(words.hold_advice(reason, name=name, unit=issue["unit"]))
