"""Takes secrets out of what other programs wrote, before it is kept: passwords, tokens, keys in URLs, private keys.

It goes by what stands around a secret, and cannot know one that stands alone. Rather too much is
masked than too little.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = "***"

LOGIN: Final = r"""(?:[^\s/@"'?#]+|[^\s/@"'?#:]*:(?!\d{1,5}(?:[/?\s"']|$))[^\s"']+|(?<=smtp://)\S+|(?<=smtps://)\S+)"""
"""The user and password of a URL, up to the last @ behind them where they are not written as they should be."""

_NAME: Final = (
    r"[\w.-]*(?:password|passwd|passphrase|passwort|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key"
    r"|signing[_-]?key|encryption[_-]?key|credentials?|cookie|session[_-]?id|webhook[_-]?url"
    r"|(?:(?<=[\W_])|(?<![\w-]))(?:pass|pwd|pw))[\w.-]*"
)
_VALUE: Final = r"""(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&"'}\])]+)"""

_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # Authorization: Bearer abc, "authorization": "Basic abc", Proxy-Authorization=...
    (re.compile(r"""(?i)(authorization["']?\s*[:=]\s*["']?)(?:(\w+)\s+)?[^\s"',;]+"""), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic|negotiate)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    # https://user:password@host, also where the password has characters that end it there, and https://token@host
    (re.compile(rf"(?i)\b([a-z][a-z0-9+.-]*://){LOGIN}@"), rf"\1{MASK}@"),
    # ?api_key=..., &sig=...
    (
        re.compile(
            r"(?i)([?&;](?:[\w.-]*(?:key|token|secret|pass|sig|signature|auth|code|session)[\w.-]*)=)[^&\s\"'#]+"
        ),
        rf"\1{MASK}",
    ),
    # AUTH ..., PASS ... as they are said to a server
    (re.compile(r"^((?:AUTH|PASS|LOGIN) ).+"), rf"\1{MASK}"),
    # password=..., "token": "...", DB_PASS: ...
    (re.compile(rf"""(?i)(?<![\w.-])({_NAME})(["']?\s*(?:=>|[:=])\s*){_VALUE}"""), rf"\1\2{MASK}"),
    # --password ..., --api-key ...
    (re.compile(rf"(?i)(--?{_NAME})(\s+)(?!-){_VALUE}"), rf"\1\2{MASK}"),
    # password 'hunter2'; what follows other names so ("unexpected token '}'") is mostly no secret
    (
        re.compile(
            r"""(?i)(?<![\w.-])([\w.-]*(?:password|passwd|passphrase|passwort|pwd|secret)\s+)(?:"[^"]+"|'[^']+')"""
        ),
        rf"\1{MASK}",
    ),
    # curl -u admin:..., wget --user=admin:..., but not -u 1000:1000
    (re.compile(r"""(?<![\w-])((?:-u|--user)["',]*[\s=]*["']?(?!\d+:\d+\b)[^\s:"'/]+:)[^\s"']+"""), rf"\1{MASK}"),
    # mysql -p..., sshpass -p ..., redis-cli -a ...
    (re.compile(r"""(\b(?:mysql|mariadb)[\w-]*\b.*?["'\s]-p)[^\s"',]+"""), rf"\1{MASK}"),
    (re.compile(r"""(\b(?:sshpass\b.*?\s-p|redis-cli\b.*?\s-a)\s*)[^\s"',]+"""), rf"\1{MASK}"),
    # Webhooks of chat services: all of the path is the secret.
    (
        re.compile(
            r"(?i)(https://(?:hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|\S+\.webhook\.office\.com)/)\S+"
        ),
        rf"\1{MASK}",
    ),
    # Tokens that are known by their form: GitHub, GitLab, Slack, AWS, Google, JSON web tokens, healthd's own keys.
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|(?:AKIA|ASIA)[0-9A-Z]{16}"
            r"|AIza[\w-]{30,}|sk-[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|healthd_\w{16,})"
        ),
        MASK,
    ),
)
_KEY_BEGINS: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEY_ENDS: Final = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_KEY_INSIDE: Final = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|$)")


def masked(text: str) -> str:
    """One line without the secrets in it."""
    text = _KEY_INSIDE.sub(rf"\1{MASK}\2", text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def masked_lines(lines: Iterable[str]) -> list[str]:
    """Lines that were written one after the other: a private key goes over many."""
    found, inside = [], False
    for line in lines:
        if inside and not _KEY_ENDS.search(line):
            found.append(MASK)
            continue
        inside = bool(_KEY_BEGINS.search(line)) and not _KEY_ENDS.search(line)
        found.append(masked(line))
    return found
