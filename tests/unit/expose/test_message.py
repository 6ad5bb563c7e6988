"""What every answer has in common."""

from __future__ import annotations

from http import HTTPStatus

from healthd.expose.message import PHRASES


def test_a_status_is_called_what_everybody_calls_it() -> None:
    assert {status: HTTPStatus(status).phrase.encode() for status in PHRASES} == PHRASES
