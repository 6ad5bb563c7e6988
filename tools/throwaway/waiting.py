"""Waiting for what cannot be subscribed to."""

import time
from collections.abc import Callable

from tools.throwaway.errors import ThrowawayError


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Looks every 10 ms until `condition` holds; raises `ThrowawayError` naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ThrowawayError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.01)
