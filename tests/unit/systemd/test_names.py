"""Names of units in object paths."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.systemd.names import job_number, unit_name, unit_path

UNIT_NAMES = st.text("abcXYZ0123456789:-_.\\@", min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("nginx.service", "nginx_2eservice"),
        ("3proxy.service", "_33proxy_2eservice"),  # a digit in front is escaped, too
        ("-.mount", "_2d_2emount"),
        ("getty@tty1.service", "getty_40tty1_2eservice"),
        ("a_b.socket", "a_5fb_2esocket"),
    ],
)
def test_a_path_is_what_systemd_makes_of_the_name(name: str, escaped: str) -> None:
    assert unit_path(name) == f"/org/freedesktop/systemd1/unit/{escaped}"


@given(UNIT_NAMES)
def test_a_name_comes_back_from_its_path(name: str) -> None:
    assert unit_name(unit_path(name)) == name


def test_a_path_of_something_else_has_no_name() -> None:
    assert unit_name("/org/freedesktop/systemd1/job/7") == ""


def test_a_job_has_the_number_in_its_path() -> None:
    assert job_number("/org/freedesktop/systemd1/job/4711") == 4711
