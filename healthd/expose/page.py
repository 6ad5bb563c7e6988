"""The page for a browser: one file that takes nothing from elsewhere, read when the first browser comes."""

from __future__ import annotations

import re
from binascii import b2a_base64
from functools import cache
from pathlib import Path
from typing import Final

from healthd.expose.message import Answer

PAGE: Final = Path(__file__).with_name("page.html")
_INLINE: Final = re.compile(rb"<(script|style)>(.*?)</\1>", re.DOTALL)


@cache
def page() -> Answer:
    """The page. Its own script and its own style are all that a browser may run of it, each known by its hash.

    What it shows comes from this daemon alone; no other site may frame it, and nothing is ever parsed as HTML.
    """
    from hashlib import sha256  # noqa: PLC0415  only a host with readers needs them

    body = PAGE.read_bytes()
    hashes = {
        kind.decode(): b2a_base64(sha256(text).digest(), newline=False).decode() for kind, text in _INLINE.findall(body)
    }
    policy = (
        "default-src 'none'",
        f"script-src 'sha256-{hashes['script']}'",
        f"style-src 'sha256-{hashes['style']}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    return Answer(status=200, body=body, content_type="text/html; charset=utf-8", headers=headers)
