from __future__ import annotations

import pytest

from healthd.formats.size import size


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (150 * 1024, "150 KiB"),
        (5.5 * 2**30, "5.5 GiB"),
        (4000 * 2**40, "4000.0 TiB"),
    ],
)
def test_a_size_is_in_the_unit_that_people_would_take(count: float, words: str) -> None:
    assert size(count) == words
