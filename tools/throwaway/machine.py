"""What can be done in a running machine, whatever it is made of: commands, its journal, waiting for its units."""

import json
import shlex
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from threading import Timer

from tools.throwaway.errors import CommandFailed
from tools.throwaway.tree import Release

COMMAND_SECONDS = 60.0

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}


class Machine(ABC):
    """A running machine. Paths are paths in it; commands run as root there unless another user is named."""

    release: Release

    @abstractmethod
    def _way_in(self) -> list[str]:
        """The command line, on this machine, of what runs the command behind it in that one."""

    @abstractmethod
    def reboot(self, *, cleanly: bool = True) -> None:
        """Shuts down (or, not `cleanly`, loses its power) and boots again on the same disk."""

    @abstractmethod
    def kill(self) -> None:
        """Ends the machine at once."""

    @abstractmethod
    def console(self) -> str:
        """The end of what the machine wrote on its console."""

    def enter(self, argv: Sequence[str], *, user: str = "root", env: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs `argv` in the machine, for callers who start the process themselves."""
        variables = [f"{name}={value}" for name, value in (_ENVIRONMENT | dict(env or {})).items()]
        become = [] if user == "root" else ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return [*self._way_in(), "env", "-i", *variables, *become, *argv]

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        stdin: str = "",
        user: str = "root",
        env: Mapping[str, str] | None = None,
        seconds: float = COMMAND_SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end. Raises `CommandFailed` on a status other than 0 if `check`."""
        command = self.enter(argv, user=user, env=env)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=seconds)
        if check and done.returncode != 0:
            raise CommandFailed(list(argv), done.returncode, done.stdout, done.stderr)
        return done

    def sh(self, script: str, *, check: bool = True, seconds: float = COMMAND_SECONDS) -> str:
        """What a shell script prints, without the last newline; with `check` its first failing command ends it."""
        return self.run(["sh", "-euc" if check else "-uc", script], check=check, seconds=seconds).stdout.rstrip("\n")

    def python(self, script: str, *arguments: str, user: str = "root", seconds: float = COMMAND_SECONDS) -> str:
        """What a Python script prints, run by the machine's own Python, without the last newline."""
        argv = ["/usr/bin/python3", "-", *arguments]
        return self.run(argv, stdin=script, user=user, seconds=seconds).stdout.rstrip("\n")

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        """Writes a file of the machine, owned by root, with the directories above it."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        self.run(["sh", "-euc", script, "write", path, f"{mode:o}"], stdin=text)

    def read(self, path: str) -> str:
        """The text of a file of the machine."""
        return self.run(["cat", path]).stdout

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit as `systemctl show` prints them."""
        wanted = [f"--property={name}" for name in properties]
        lines = self.run(["systemctl", "show", *wanted, "--", unit]).stdout.splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def state(self, unit: str) -> str:
        """The ActiveState of a unit."""
        return self.show(unit, "ActiveState")["ActiveState"]

    def journal(self, *arguments: str) -> str:
        """What `journalctl` prints with these arguments: the whole journal of this boot without any."""
        return self.run(["journalctl", "--boot", "--no-pager", "--quiet", *arguments]).stdout

    def records(self, *arguments: str) -> list[dict[str, str]]:
        """Journal records of this boot as journald stores them, in order."""
        return [json.loads(line) for line in self.journal("--output=json", *arguments).splitlines()]

    def cursor(self) -> str:
        """A point in the journal: now."""
        last = self.journal("--lines=0", "--show-cursor").strip()
        return last.removeprefix("-- cursor: ")

    def follow(self, cursor: str, *, seconds: float) -> Generator[dict[str, str], None, None]:
        """The records after `cursor` and then each new one as it is written, for `seconds` in all; of this boot."""
        # It ends with its input. Killed, it would be left behind as a zombie, for which a shutdown waits 10 s.
        command = self.enter(["sh", "-c", _FOLLOW, "follow", cursor])
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True) as process:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("both were asked for")
            timer = Timer(seconds, process.stdin.close)
            timer.start()
            try:
                yield from map(json.loads, process.stdout)
            finally:
                timer.cancel()
                process.stdin.close()

    def await_record(self, cursor: str, *matches: str, seconds: float = 30.0) -> dict[str, str]:
        """The first journal record after `cursor` with all `matches` ("FIELD=value"); waits up to `seconds` for it.

        Raises `TimeoutError` with what healthd said meanwhile. Journald batches its news: allow half a second.
        """
        wanted = dict(match.split("=", 1) for match in matches)
        # The matching is ours: journalctl 252 finds nothing after a cursor when it is given two fields.
        with closing(self.follow(cursor, seconds=seconds)) as records:
            for record in records:
                if wanted.items() <= record.items():
                    return record
        told = self.journal(f"--after-cursor={cursor}", "--unit=healthd")
        raise TimeoutError(f"no record with {' '.join(matches)} within {seconds:g} s; healthd said:\n{told}")

    def await_unit(
        self, unit: str, *states: str, invocation_other_than: str = "", seconds: float = 30
    ) -> dict[str, str]:
        """Waits until `unit` is in one of the ActiveStates `states`; gives what `show` says of it then.

        With `invocation_other_than`, only a run of the unit counts that has another InvocationID.
        """
        script = _AWAIT_UNIT.read_text()
        unit = unit if "." in unit else f"{unit}.service"
        argv = ["/usr/bin/python3", "-", unit, ",".join(states), invocation_other_than, str(seconds)]
        done = self.run(argv, stdin=script, check=False, seconds=seconds + 10)
        if done.returncode != 0:
            raise TimeoutError(f"{unit} was not {' or '.join(states)} within {seconds:g} s: {done.stderr.strip()}")
        return self.show(unit, "ActiveState", "SubState", "Result", "InvocationID", "MainPID", "NRestarts")

    def install(self, *debs: Path) -> str:
        """Installs packages with apt in the running host, as its administrator would; gives what apt printed."""
        inside = [self.put(deb, f"/root/{deb.name}") for deb in debs]
        argv = ["apt-get", "install", "--yes", "--allow-downgrades", *inside]
        done = self.run(argv, env={"DEBIAN_FRONTEND": "noninteractive"}, seconds=300)
        return done.stdout + done.stderr

    def put(self, source: Path, path: str, *, mode: int = 0o644) -> str:
        """Copies a file of this machine into the machine; gives back `path`."""
        with source.open("rb") as content:
            subprocess.run(
                self.enter(["sh", "-euc", f"cat > {shlex.quote(path)} && chmod {mode:o} {shlex.quote(path)}"]),
                stdin=content,
                check=True,
            )
        return path


_FOLLOW = 'journalctl --follow --lines=all --output=json "--after-cursor=$1" & read -r _; kill $!; wait $!'
_AWAIT_UNIT = Path(__file__).with_name("await_unit.py")
