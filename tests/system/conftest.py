"""Booted Debian hosts for the system tier: fresh ones, with the package that `make deb` built.

Every fixture runs on each release. The journal of a host is attached to the report of a test that failed on it.
"""

import os
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.throwaway import CommandFailed, Host, Machine, Release, Vm, boot, boot_vm

TREE = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package under test: `HEALTHD_DEB` if it is set, else one built from the tree now."""
    if named := os.environ.get("HEALTHD_DEB"):
        return (TREE / named).resolve(strict=True)
    directory = tmp_path_factory.mktemp("package")
    subprocess.run([TREE / "tools/build-deb", directory], check=True, stdout=subprocess.DEVNULL)
    (package,) = directory.glob("healthd_*.deb")
    return package


@pytest.fixture(scope="session", params=list(Release), ids=str)
def release(request: pytest.FixtureRequest) -> Release:
    """Each Debian release in turn."""
    chosen: Release = request.param
    return chosen


@pytest.fixture
def host(release: Release, deb: Path) -> Iterator[Host]:
    """A host that has just booted, with the package installed and healthd running."""
    with running(release, deb) as booted:
        yield booted


@pytest.fixture(scope="module")
def shared_host(release: Release, deb: Path) -> Iterator[Host]:
    """One such host for all tests of a module that do not disturb each other: each brings units of its own names."""
    with running(release, deb) as booted:
        yield booted


@pytest.fixture
def bare_host(release: Release) -> Iterator[Host]:
    """A host that has just booted and never saw healthd; what the package depends on is there."""
    with boot(release) as booted:
        yield booted


@pytest.fixture
def vm(release: Release, deb: Path) -> Iterator[Vm]:
    """A virtual machine that has booted, with the package installed and healthd running. It is slow."""
    with boot_vm(release, deb=deb) as machine:
        yield machine


@contextmanager
def running(release: Release, deb: Path) -> Iterator[Host]:
    """Boots a host with the package and sees that healthd is up."""
    with boot(release, deb=deb) as host:
        if (state := host.state("healthd.service")) != "active":
            pytest.fail(f"healthd is {state} on a fresh host:\n{host.journal('--unit=healthd.service')}")
        yield host


def pytest_sessionstart(session: pytest.Session) -> None:
    """A tier that cannot run says so and fails; it is never skipped."""
    if os.geteuid() != 0:
        raise pytest.UsageError("the system tier boots containers and needs root: make system")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attaches what the hosts of a failed test wrote in their journals; they are still up at this point."""
    report = yield
    if report.when == "call" and report.failed:
        for name, value in item.funcargs.items():
            if isinstance(value, Machine):
                report.sections.append((f"the journal of {name}", _story(value)))
    return report


def _story(host: Machine) -> str:
    try:
        return host.journal("--output=short-precise", "--lines=300")
    except (CommandFailed, OSError, subprocess.SubprocessError) as error:
        return f"cannot be read: {error}"
