"""What healthd says on a host while scenes are played on it, sorted by scene as it comes."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from bench.accuracy.judge import MARK, own, strays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.accuracy.judge import Record
    from bench.accuracy.scene import Scene
    from tools.throwaway import Machine

_LONGEST: Final = 3600.0


class Watch:
    """Follows the journal of a host from now on, until the host is gone."""

    def __init__(self, host: Machine) -> None:
        self._host, self._news = host, threading.Condition()
        self._scenes: Sequence[Scene] = ()
        self._records: dict[str, list[Record]] = {}
        self._rest: list[Record] = []
        self._thread = threading.Thread(target=self._follow, args=(host.cursor(),), daemon=True)
        self._thread.start()

    def expect(self, scenes: Sequence[Scene]) -> None:
        """What is said from now on is of these scenes."""
        with self._news:
            self._scenes = scenes
            self._records = {scene.name: [] for scene in scenes}

    def of(self, scene: Scene) -> list[Record]:
        """What was said of one of them so far."""
        with self._news:
            return list(self._records[scene.name])

    def strays(self, *, around: frozenset[str]) -> list[str]:
        """What was said of none of them and should not have been said at all."""
        with self._news:
            return strays((), self._rest, around=around)

    def until(self, done: Callable[[], bool], *, seconds: float) -> bool:
        """Waits until something that was said makes it so. False if nothing did within that time."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            with self._news:
                self._news.wait(min(left, 0.5))
        return True

    def _follow(self, cursor: str) -> None:
        for record in self._host.follow(cursor, seconds=_LONGEST):
            if "HEALTHD_EVENT" in record or MARK in record:
                self._sort(record)

    def _sort(self, record: Record) -> None:
        with self._news:
            owners = [scene for scene in self._scenes if own(scene, (record,))]
            for scene in owners:
                self._records[scene.name].append(record)
            if not owners:
                self._rest.append(record)
            self._news.notify_all()
