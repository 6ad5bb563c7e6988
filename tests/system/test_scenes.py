"""A tenth of the scenes by which `make bench-accuracy` measures how often healthd is right: quick ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.accuracy.judge import Found
from bench.accuracy.play import play
from bench.accuracy.scene import SHARED
from bench.accuracy.scenes import SCENES

if TYPE_CHECKING:
    from pathlib import Path

    from tools.throwaway import Release

FAULTS: Final = (
    "killed-simple",
    "exit-3-nobody",
    "segfault",
    "terminated-notify",
    "exit-1-with-children",
    "start-fails-once",
    "start-limit",
    "crash-loop-clean",
    "program-missing",
    "says-configuration-is-wrong",
    "switched-off",
    "suggested",
    "job-fails",
    "badmount",
    "bound-root-killed",
    "chain-of-three",
    "root-cannot-start",
    "killed-during-a-reload-of-units",
    "clean-exit",
    "job-of-a-timer",
    "http-stuck",
    "http-says-500",
    "tcp-closes",
    "unix-socket-removed",
    "dns-servfail",
    "numbers-queue-too-long",
    "beat-too-slow",
    "paper-3-days-left",
)
HARMLESS: Final = (
    "stopped",
    "stopped-by-kill-signal",
    "stopped-with-a-bad-status",
    "disabled-and-stopped",
    "masked-and-stopped",
    "restarted-slowly",
    "stopped-and-killed",
    "removed",
    "slow-start-pre",
    "exec-condition-not-met",
    "restarted-by-systemd",
    "job-with-a-good-status",
    "timer-disabled",
    "http-fails-once",
    "http-restarted",
    "tcp-in-pieces",
    "unix-fails-twice",
    "dns-loses-a-question",
    "numbers-spike",
    "paper-renewed",
    "full-in-a-namespace-of-its-own",
)


def test_scenes_are_judged_and_handled_as_their_labels_say(release: Release, deb: Path) -> None:
    chosen = {scene.name: scene for scene in SCENES if scene.name in {*FAULTS, *HARMLESS}}
    assert {name for name, scene in chosen.items() if scene.label.issue} == set(FAULTS)
    assert {name for name, scene in chosen.items() if scene.harmless} == set(HARMLESS)

    played = play(SHARED, list(chosen.values()), release=release, deb=deb)

    wrong = {each.scene.name: each.text for each in played.judgements if each.found is not Found.RIGHT}
    assert (wrong, played.strays) == ({}, ())
