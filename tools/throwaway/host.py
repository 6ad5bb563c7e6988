"""A booted Debian to do anything to: `with boot(Release.TRIXIE, deb=path) as host: host.run(["systemctl", ...])`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.throwaway.container import Container
from tools.throwaway.forward import Forwarder
from tools.throwaway.machine import Machine
from tools.throwaway.scratch import Scratch, scratch
from tools.throwaway.tree import Release, base

BOOT_SECONDS = 60.0
SHUTDOWN_SECONDS = 30.0


class Host(Machine):
    """A host in a container: booted in a second, but it shares this machine's kernel."""

    def __init__(self, place: Scratch, *, release: Release, binds: Sequence[str] = ()) -> None:
        self.release = release
        self.root = place.root
        self._place, self._binds = place, tuple(binds)
        self._container = self._boot()

    @property
    def leader(self) -> int:
        """The pid of the host's init on this machine."""
        return self._container.leader

    def _way_in(self) -> list[str]:
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        return ["nsenter", f"--target={self.leader}", *namespaces]

    @contextmanager
    def forward(self, port: int, *, local: int = 0) -> Iterator[int]:
        """Lets 127.0.0.1:`local` here reach 127.0.0.1:`port` of the host; yields `local`, chosen if it is 0."""
        with Forwarder(leader=self.leader, port=port, local=local) as forwarder:
            yield forwarder.local

    def reboot(self, *, cleanly: bool = True) -> None:
        """Shuts down (or, not `cleanly`, loses its power) and boots again on the same disk."""
        if cleanly:
            self._container.shut_down(SHUTDOWN_SECONDS)
        else:
            self._container.cut_power()
        self._container = self._boot()

    def kill(self) -> None:
        """Ends the host at once."""
        self._container.cut_power()

    def console(self) -> str:
        """The end of what the host wrote on its console."""
        return self._container.console()

    def _boot(self) -> Container:
        place = self._place
        return Container(
            root=place.root, name=place.name, console=place.console, binds=self._binds, boot_seconds=BOOT_SECONDS
        )


@contextmanager
def boot(
    release: Release, *, deb: Path | None = None, extra: Sequence[str] = (), binds: Sequence[str] = ()
) -> Iterator[Host]:
    """Boots a pristine host of `release`, and leaves nothing of it behind.

    `deb` is installed before the first boot (once; the result is kept for the next host); `extra` are names of Debian
    packages to have in the tree; `binds` are "PATH:PATH_IN_HOST" of this machine, read-only.
    """
    with ExitStack() as stack:
        place = stack.enter_context(scratch(stack.enter_context(base(release, deb=deb, extra=extra))))
        host = Host(place, release=release, binds=binds)
        stack.callback(host.kill)
        yield host
