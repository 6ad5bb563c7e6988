"""What stands behind the path of a request target."""

from __future__ import annotations

import pytest

from healthd.errors import RequestError
from healthd.expose import query


@pytest.mark.parametrize(
    ("target", "path", "behind"),
    [
        ("/health", "/health", ""),
        ("/health?", "/health", ""),
        ("/history?since=2h&name=a?b", "/history", "since=2h&name=a?b"),
        ("/components/%2Fsrv?x=1", "/components/%2Fsrv", "x=1"),
        ("http://host:8080/health?x=1", "/health", "x=1"),
        ("HTTPS://host", "/", ""),
        ("*", "*", ""),
    ],
)
def test_a_target_is_a_raw_path_and_a_raw_query(target: str, path: str, behind: str) -> None:
    assert query.split(target) == (path, behind)


def test_a_target_that_is_no_url_is_refused() -> None:
    with pytest.raises(RequestError, match="not a URL") as refused:
        query.split("http://[::1/health")

    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("behind", "parameters"),
    [
        ("", {}),
        ("since=2h", {"since": "2h"}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("name=%2Fsrv%20data+x", {"name": "/srv data x"}),
        ("name=%C3%A4", {"name": "ä"}),
        ("flag", {"flag": ""}),
        ("flag=&&x==", {"flag": "", "x": "="}),
    ],
)
def test_parameters_are_decoded(behind: str, parameters: dict[str, str]) -> None:
    assert dict(query.parse(behind)) == parameters


@pytest.mark.parametrize("behind", ["a=%", "a=%g0", "%zz=1", "a=%C3", "a=%ff"])
def test_what_is_not_percent_encoded_utf_8_is_refused(behind: str) -> None:
    with pytest.raises(RequestError, match="UTF-8") as refused:
        query.parse(behind)

    assert refused.value.status == 400


def test_a_parameter_that_is_given_twice_is_refused_and_not_guessed() -> None:
    with pytest.raises(RequestError, match="twice"):
        query.parse("a=1&%61=2")
