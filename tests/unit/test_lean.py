"""What is kept out of the daemon's memory, and what is given back: nobody who uses it notices."""

from __future__ import annotations

import gc
import sys
import weakref
from dataclasses import FrozenInstanceError, replace
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from healthd import lean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAVY = "made_up_heavy"
BARRED = "made_up_barred"

RECORDS = """
from __future__ import annotations
from dataclasses import dataclass, field

@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    name: str
    parts: tuple[Record, ...] = ()
    secret: str = field(default="", repr=False)

@dataclass(slots=True)
class Mutable:
    count: int = 0

@dataclass(frozen=True, slots=True)
class Curt:
    name: str

    def __repr__(self) -> str:
        return "curt"

@dataclass(frozen=True)
class Roomy:
    name: str
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where modules may be found; `HEAVY` is postponed and `BARRED` is barred. The process is as before afterwards."""
    monkeypatch.setattr(lean, "POSTPONED", (HEAVY,))
    monkeypatch.setattr(lean, "BARRED", (BARRED,))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in (HEAVY, BARRED):
        sys.modules.pop(name, None)


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of dataclasses that belongs to the package; nothing is done to it yet."""
    module = ModuleType("healthd.made_up")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(gc, "freeze", lambda: None)
    exec(RECORDS, vars(module))
    return module


def heavy(folder: Path, text: str) -> ModuleType:
    """The module, imported while it is postponed."""
    (folder / f"{HEAVY}.py").write_text(text, encoding="utf-8")
    lean.slim()
    return import_module(HEAVY)


def test_who_imports_what_is_barred_learns_that_it_does_not_exist(folder: Path) -> None:
    (folder / f"{BARRED}.py").touch()
    lean.slim()

    with pytest.raises(ImportError):
        import_module(BARRED)


def test_what_was_barred_can_be_let_in_after_all(folder: Path) -> None:
    (folder / f"{BARRED}.py").write_text("here = True", encoding="utf-8")
    lean.slim()
    lean.let_in(BARRED)

    assert import_module(BARRED).here is True


def test_what_is_there_already_is_neither_barred_nor_let_in_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = ModuleType(BARRED)
    monkeypatch.setitem(sys.modules, BARRED, there)
    lean.slim()
    lean.let_in(BARRED)

    assert import_module(BARRED) is there


def test_a_postponed_module_is_not_read_before_something_of_it_is_wanted(folder: Path) -> None:
    module = heavy(folder, "raise SystemExit('it was read')")

    assert import_module(HEAVY) is module
    assert type(module) is lean.Unread


def test_once_something_of_it_is_wanted_a_postponed_module_is_as_any_other(folder: Path) -> None:
    module = heavy(folder, "import sys\nhere = __name__, sys.modules[__name__]\ndef ask(): return here")

    assert module.ask() == (HEAVY, module)
    assert type(module) is ModuleType
    assert module.__file__ == str(folder / f"{HEAVY}.py")
    assert type(module.__loader__).__name__ == "SourceFileLoader"
    with pytest.raises(AttributeError):
        module.nothing_of_this_name  # noqa: B018


def test_what_could_not_be_read_is_read_by_who_wants_it_next(folder: Path) -> None:
    module = heavy(folder, "import sys\nassert sys.modules[__name__].__dict__.setdefault('read', []).append(1)")
    with pytest.raises(AssertionError):
        module.here  # noqa: B018
    (folder / f"{HEAVY}.py").write_text("here = 'now it is', len(read)", encoding="utf-8")

    assert module.here == ("now it is", 1)


def test_another_thread_that_wants_something_while_it_is_read_waits_for_it(folder: Path) -> None:
    module = heavy(
        folder,
        "import sys, threading\n"
        "read, found = [*globals().get('read', ()), 1], []\n"
        "other = threading.Thread(target=lambda: found.append(sys.modules[__name__].here))\n"
        "other.start()\n"
        "here = 7",
    )
    assert module.here == 7
    module.other.join()

    assert module.found == [7]
    assert module.read == [1]


def test_records_are_what_they_were_once_the_daemon_has_settled(records: ModuleType) -> None:
    made = [
        records.Record(name="a", parts=(records.Record(name="b"),), secret="x"),
        records.Mutable(3),
        records.Curt("c"),
        records.Roomy("d"),
    ]
    before = [(repr(each), hash(each) if each.__hash__ else None, replace(each)) for each in made]
    lean.settle()

    assert [(repr(each), hash(each) if each.__hash__ else None, replace(each)) for each in made] == before
    assert repr(made[0]) == "Record(name='a', parts=(Record(name='b', parts=()),))"


def test_a_thread_may_import_something_while_the_daemon_settles(
    records: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Importing(str):
        """The name of a module; while it is looked at another module appears, as if a thread had imported it."""

        __slots__ = ()

        def startswith(self, *args: Any) -> bool:
            monkeypatch.setitem(sys.modules, "healthd.made_up_later", ModuleType("healthd.made_up_later"))
            return super().startswith(*args)

    monkeypatch.setitem(sys.modules, Importing("made_up_importing"), ModuleType("made_up_importing"))
    lean.settle()

    assert "healthd.made_up_later" in sys.modules
    assert refused(records.Record(name="a"))[0] == "cannot assign to field 'name'"


def test_a_frozen_record_stays_frozen_and_says_what_it_said(records: ModuleType) -> None:
    frozen = records.Record(name="a"), records.Curt("c"), records.Roomy("d")
    said = [refused(each) for each in frozen]
    lean.settle()

    assert (
        [refused(each) for each in frozen]
        == said
        == [("cannot assign to field 'name'", "cannot delete field 'name'")] * 3
    )


def refused(record: Any) -> tuple[str, str]:
    """What is said to somebody who would change a record."""
    with pytest.raises(FrozenInstanceError) as assigned:
        record.name = "b"
    with pytest.raises(FrozenInstanceError) as deleted:
        del record.name
    return str(assigned.value), str(deleted.value)


def test_a_record_that_is_no_frozen_one_can_still_be_changed(records: ModuleType) -> None:
    lean.settle()
    mutable = records.Mutable(3)
    mutable.count += 1

    assert mutable == records.Mutable(4)


def test_the_twins_of_records_with_slots_are_gone(records: ModuleType) -> None:
    twins = [
        weakref.ref(made)
        for made in object.__subclasses__()
        if made.__module__ == "healthd.made_up" and made not in vars(records).values()
    ]
    lean.settle()

    assert len(twins) >= 2
    assert [twin() for twin in twins if twin() is not None] == []
    assert records.Record(name="a").parts == ()
