"""The page for browsers: small, whole, and closed to everything from elsewhere."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from hashlib import sha256

from healthd.expose.api import Api
from healthd.expose.message import Answer, Client, Request
from healthd.expose.page import PAGE
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import FakeControl

KIB = 1024
TEXT = PAGE.read_text(encoding="utf-8")


def page() -> Answer:
    """What anybody gets who has no key."""
    client = Client(rights=frozenset(), address="10.0.0.1")
    request = Request(method="GET", path="/", headers={}, body=b"", client=client)
    answer = asyncio.run(Api(FakeControl(), FakeLog()).answer(request))
    assert isinstance(answer, Answer)
    return answer


def test_the_page_is_for_everybody_and_small() -> None:
    answer = page()

    assert (answer.status, answer.content_type) == (200, "text/html; charset=utf-8")
    assert len(answer.body) < 40 * KIB


def test_the_policy_lets_just_the_page_s_own_script_and_style_run() -> None:
    policy = dict(part.split(" ", 1) for part in page().headers["Content-Security-Policy"].split("; "))

    for kind in ("script", "style"):
        (text,) = re.findall(f"<{kind}[^>]*>(.*?)</{kind}>", TEXT, re.DOTALL)
        assert policy[f"{kind}-src"] == f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"


def test_what_comes_from_the_host_is_never_parsed_as_markup() -> None:
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|DOMParser|\bon\w+="

    assert re.findall(ways, TEXT) == []


def test_the_page_names_no_other_place() -> None:
    assert set(re.findall(r"https?://[^\"'\s]+", TEXT)) == {"http://www.w3.org/2000/svg"}  # a name, nothing to fetch
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", TEXT) == []
