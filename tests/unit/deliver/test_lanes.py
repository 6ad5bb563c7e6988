"""Each address of a receiver gets each letter once, whatever the others do, and its end only if it heard of it."""

from __future__ import annotations

import asyncio
import errno
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthd.deliver.courier import Courier
from healthd.deliver.folder import KEEP_SECONDS, Folder
from healthd.deliver.lanes import Lane, mark_of
from healthd.deliver.secrets import Secrets
from healthd.errors import DeliveryError
from healthd.events import Event
from healthd.letters import Outcome, Why
from healthd.model import Severity
from tests.fakes import FakeClock, FakeLog
from tests.unit.builders import a_letter
from tests.unit.deliver.jumping import Loop
from tests.unit.deliver.test_courier import HOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthd.letters import Letter

ALL = ("ann@x", "bob@x", "eve@x")
LATER = DeliveryError("the mail server says 450 greylisted")
NEVER = DeliveryError("the mail server says 550 no such user", final=True)
OPENED = a_letter(id="one", key="alert", number=1)
OVER = a_letter(id="two", key="alert", number=2, why=Why.RESOLVED, title="over: web.service is down")
TEST = a_letter(id="test", key="test", why=Why.TEST)


@dataclass(kw_only=True)
class Hall:
    """A receiver, over as many processes as there are calls of `life`. `says` are answers of addresses, in order."""

    directory: Path
    together: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    log: FakeLog = field(default_factory=FakeLog)
    says: dict[str, list[DeliveryError]] = field(default_factory=lambda: defaultdict(list))
    peers: Mapping[str, DeliveryError] = field(default_factory=dict)
    tries: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    took: list[tuple[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    notes: list[Outcome] = field(default_factory=list)

    async def send(self, letter: Letter, addresses: Sequence[str]) -> Mapping[str, DeliveryError]:
        self.tries.append((letter.id, tuple(addresses)))
        errors = {each: self.says[each].pop(0) for each in addresses if self.says[each]}
        self.took += [(letter.id, each) for each in addresses if each not in errors]
        return {**errors, **self.peers}

    def life(self, act: Callable[[Courier], Any], *, lanes: Iterable[Lane] = (), hours: float = 1.0) -> Folder:
        """A process: has letters taken, and whatever else `act` does, and lives so long."""
        hall = self

        class Noted(Folder):
            def note(self, letter: Letter, receiver: str, outcome: Outcome) -> None:
                hall.notes.append(outcome)
                super().note(letter, receiver, outcome)

        folder = Noted(self.directory)

        async def run() -> None:
            courier = Courier(
                "email", folder=folder, clock=self.clock, log=self.log, secrets=Secrets(None), done=self.done.append
            )
            courier.together = self.together
            courier.serve(self.send, lanes or at(*ALL))
            running = asyncio.create_task(courier.run())
            act(courier)
            await asyncio.sleep(hours * HOUR)
            running.cancel()

        with asyncio.Runner(loop_factory=lambda: Loop(self.clock)) as runner:
            runner.run(run())
        return folder

    def told(self, event: Event) -> list[str]:
        return [record.message for record in self.log.of(event)]


def at(*addresses: str, stand: str = "") -> list[Lane]:
    return [Lane(mark=mark_of(each), address=each, label=each, stand=stand) for each in addresses]


def taking(*letters: Letter) -> Callable[[Courier], None]:
    def act(courier: Courier) -> None:
        for letter in letters:
            courier.take(f"{letter.id}.json", replace(letter, at=courier._clock.wall()))

    return act


@pytest.fixture
def hall(tmp_path: Path) -> Hall:
    return Hall(directory=tmp_path)


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders are two file systems, as systemd mounts them: between them nothing can be renamed."""
    rename = Path.rename

    def within(path: Path, target: Path) -> Path:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", within)


def test_who_is_refused_for_now_is_told_later_and_nobody_else_is_told_twice(hall: Hall) -> None:
    hall.says["bob@x"] = [LATER, LATER]
    hall.life(taking(OPENED))

    assert hall.tries == [("one", ALL), ("one", ("bob@x",)), ("one", ("bob@x",))]
    assert hall.told(Event.ALERT_SENT) == [
        f"told email (ann@x, eve@x): {OPENED.title}",
        f"told email (bob@x): {OPENED.title}",
    ]
    (failed,) = hall.told(Event.ALERT_FAILED)
    assert failed.startswith("email could not be told: bob@x: the mail server says 450 greylisted; again in ")
    assert [(note.ok, note.final) for note in hall.notes] == [(False, False), (True, True)]
    assert hall.done == ["one.json"]


def test_who_is_refused_for_good_is_named_loudly_once_and_counts_as_a_failure(hall: Hall) -> None:
    hall.says["eve@x"] = [NEVER]
    hall.life(taking(OPENED))

    assert hall.tries == [("one", ALL)]
    (failed,) = hall.log.of(Event.ALERT_FAILED)
    assert failed.message == f"email will not hear of it: eve@x: the mail server says 550 no such user ({OPENED.title})"
    assert failed.severity is Severity.HIGH
    (note,) = hall.notes
    assert (note.ok, note.final) == (False, True)
    assert note.text == "taken by 2 of 3, but eve@x: the mail server says 550 no such user"


def test_a_test_tries_each_address_once_and_names_all_that_refused(hall: Hall) -> None:
    hall.says |= {"bob@x": [LATER], "eve@x": [NEVER]}
    hall.life(taking(TEST))

    (note,) = hall.notes
    assert hall.tries == [("test", ALL)]
    assert not note.ok
    assert note.text.startswith("taken by 1 of 3, but ")
    assert all(words in note.text for words in ("bob@x: ", "450 greylisted", "eve@x: ", "550 no such user"))


def test_a_process_that_is_started_anew_tells_only_who_was_not_told(hall: Hall) -> None:
    hall.says |= {"bob@x": [LATER] * 3, "eve@x": [NEVER]}
    hall.life(taking(OPENED), hours=0.0005)
    assert hall.done == []
    hall.says["bob@x"] = []
    hall.tries.clear()
    hall.life(taking(OPENED))

    assert hall.tries == [("one", ("bob@x",))]
    assert hall.notes[-1].text == "taken by 2 of 3, but eve@x: the mail server says 550 no such user"
    assert hall.done == ["one.json"]


def test_what_hits_all_is_said_once_and_names_nobody(hall: Hall) -> None:
    async def down(_letter: Letter, _addresses: Sequence[str]) -> None:
        raise DeliveryError("the mail server: refused")

    def act(courier: Courier) -> None:
        courier.serve(down, at(*ALL))
        taking(OPENED)(courier)

    hall.life(act)

    (failed,) = hall.told(Event.ALERT_FAILED)
    assert failed.startswith("email could not be told: the mail server: refused; again in ")


@pytest.mark.parametrize("together", [True, False])
def test_an_address_that_takes_nothing_holds_up_no_other_nor_the_end_of_an_alert_there(
    hall: Hall, *, together: bool
) -> None:
    hall.together = together
    hall.says["bob@x"] = [LATER] * 1000
    hall.life(taking(OPENED, OVER))

    assert sorted(hall.took) == [("one", "ann@x"), ("one", "eve@x"), ("two", "ann@x"), ("two", "eve@x")]
    assert {letter for letter, addresses in hall.tries if "bob@x" in addresses} == {"one"}
    hall.says["bob@x"] = []
    hall.life(taking(OPENED, OVER))

    assert hall.took[4:] == [("one", "bob@x"), ("two", "bob@x")]


def test_that_it_is_over_hears_only_who_heard_of_it(hall: Hall) -> None:
    hall.life(taking(OPENED), lanes=at("ann@x"))
    hall.life(taking(OVER), lanes=at("ann@x", "bob@x"))

    assert hall.took == [("one", "ann@x"), ("two", "ann@x")]
    assert hall.done == ["one.json", "two.json"]


def test_of_what_nobody_heard_no_outcome_is_counted(hall: Hall) -> None:
    hall.says["ann@x"] = [NEVER]
    hall.life(taking(OPENED, OVER), lanes=at("ann@x"))

    assert hall.tries == [("one", ("ann@x",))]
    assert [note.ok for note in hall.notes] == [False]
    assert hall.done == ["one.json", "two.json"]


def test_on_a_full_disk_the_end_is_told_by_the_process_that_told_the_beginning(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **_more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    monkeypatch.setattr(Path, "write_text", full)
    hall.life(taking(OPENED, OVER), lanes=at("ann@x"))

    assert hall.took == [("one", "ann@x"), ("two", "ann@x")]


@pytest.mark.usefixtures("mounted")
def test_who_was_taken_out_is_told_the_end_once_it_is_there_again(hall: Hall) -> None:
    folder = hall.life(taking(OPENED), lanes=at("ann@x", "bob@x"))
    for receiver, mark in folder.told("alert"):
        if mark == mark_of("bob@x"):
            folder.owe(receiver, mark, OVER)
    hall.life(taking(OVER), lanes=at("ann@x"))
    assert folder.told("alert") == [("email", mark_of("bob@x"))]

    folder.pay("email", {mark_of("eve@x")})
    assert not list(folder.letters(frozenset()))
    folder.pay("email", {mark_of("ann@x"), mark_of("bob@x")})
    ((name, owed),) = folder.letters(frozenset())
    assert owed is not None
    assert owed.to == "email"
    folder.pay("email", {mark_of("bob@x")})
    hall.took.clear()
    hall.life(lambda courier: courier.take(name, owed), lanes=at("ann@x", "bob@x"))

    assert hall.took == [(owed.id, "bob@x")]
    assert folder.told("alert") == []


def test_an_address_that_is_taken_out_while_the_end_waits_for_it_is_owed_it(hall: Hall) -> None:
    hall.life(taking(OPENED))
    hall.says["bob@x"] = [LATER] * 1000

    def act(courier: Courier) -> None:
        taking(OVER)(courier)
        courier.serve(hall.send, at("ann@x", "eve@x"))

    folder = hall.life(act)
    folder.pay("email", {mark_of("bob@x")})

    assert [owed.key for _, owed in folder.letters(frozenset()) if owed is not None] == ["alert"]
    assert any("it is not in the configuration any more" in note.text for note in hall.notes)


def test_what_waits_for_an_address_that_is_corrected_goes_to_the_new_one(hall: Hall) -> None:
    hall.says["bob@x"] = [LATER] * 1000

    def act(courier: Courier) -> None:
        taking(OPENED)(courier)
        asyncio.get_running_loop().call_later(60.0, courier.serve, hall.send, at("ann@x", "rob@x"))

    hall.life(act, lanes=at("ann@x", "bob@x"))

    assert hall.took == [("one", "ann@x"), ("one", "rob@x")]


def test_a_pause_that_one_address_asked_for_does_not_hold_at_another(hall: Hall) -> None:
    hall.says["bob@x"] = [DeliveryError("it answered 429", wait=3000.0)]
    began = hall.clock.boot()
    moved: list[float] = []

    async def elsewhere(_letter: Letter, _addresses: Sequence[str]) -> None:
        moved.append(hall.clock.boot() - began)

    def act(courier: Courier) -> None:
        taking(OPENED)(courier)
        loop = asyncio.get_running_loop()
        loop.call_later(10.0, courier.serve, hall.send, at("bob@x"))
        loop.call_later(20.0, courier.serve, elsewhere, at("bob@x", stand="another server"))

    hall.life(act, lanes=at("bob@x"))

    assert len(hall.tries) == 1
    assert moved == [20.0]


def test_a_receiver_that_nobody_names_any_more_gets_rid_of_its_letters(hall: Hall) -> None:
    hall.says["bob@x"] = [LATER] * 1000

    def act(courier: Courier) -> None:
        taking(OPENED)(courier)
        asyncio.get_running_loop().call_later(60.0, courier.serve, None, ())

    hall.life(act, lanes=at("bob@x"))

    assert hall.done == ["one.json"]
    assert (
        "email will not hear of it: bob@x: it is not in the configuration any more" in hall.told(Event.ALERT_FAILED)[-1]
    )


def test_that_one_of_several_peers_is_dead_is_said_when_it_begins_and_when_it_ends(hall: Hall) -> None:
    alone = [Lane()]
    hall.peers = {"http://two": DeliveryError("address 2 (two): connection refused")}
    letters = [replace(OPENED, id=f"letter-{number}", key=f"alert-{number}") for number in range(4)]
    for letter in letters[:2]:
        hall.life(taking(letter), lanes=alone)
    assert hall.told(Event.ALERT_FAILED) == [
        "email was told, but not by all of its addresses: address 2 (two): connection refused"
    ]
    assert [note.ok for note in hall.notes] == [False, True, False, True]

    hall.life(taking(TEST), lanes=alone)
    assert (hall.notes[-1].ok, hall.notes[-1].text) == (
        False,
        "taken, but address 2 (two): connection refused",
    )
    hall.peers = {}
    for letter in letters[2:]:
        hall.life(taking(letter), lanes=alone)

    assert hall.told(Event.ALERT_FAILED)[1:] == ["email can be told at all of its addresses again"]
    assert [note.ok for note in hall.notes[-2:]] == [True, True]


@pytest.mark.usefixtures("mounted")
def test_what_is_no_letter_is_put_aside_and_a_folder_is_left_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.outbox / "x.json").write_bytes(b"{}")
    (folder.outbox / "folder").mkdir()
    assert list(folder.letters(frozenset())) == [("x.json", None)]

    folder.put_aside("x.json")

    assert list(folder.letters(frozenset())) == []
    assert (tmp_path / "delivered" / "x.json.broken").read_bytes() == b"{}"
    assert folder.trouble is None


def test_what_is_known_of_a_letter_that_waits_for_others_is_not_forgotten(hall: Hall) -> None:
    hall.says["bob@x"] = [LATER] * 1000
    folder = hall.life(taking(OPENED))
    waits = replace(OPENED, at=hall.clock.wall())
    (folder.outbox / "one.json").write_bytes(waits.to_json())
    other = replace(OPENED, id="other")
    folder.note(waits, "slack", Outcome(ok=True, text="", took=0.0))
    folder.note(other, "slack", Outcome(ok=True, text="", took=0.0))

    long_after = max(each.stat().st_mtime for each in folder.outbox.parent.rglob("*")) + KEEP_SECONDS + 1.0
    folder.tidy(long_after)

    assert folder.is_delivered(waits, "slack")
    assert not folder.is_delivered(other, "slack")
    assert folder.became(waits, "email", mark_of("ann@x")) == ""
    assert folder.is_told("email", mark_of("ann@x"), "alert")
