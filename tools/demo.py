"""What healthd does, in half a minute: `python3 -m tools.demo RELEASE PACKAGE` (it is what `make run` does).

Boots a throwaway Debian with the package, breaks a service in it with kill -9, and shows healthd's journal live. On a
terminal the host then stays until Ctrl-C; else it ends. Status 0 only if the service was healed.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tools.throwaway import Host, Release, ThrowawayError, boot

UNIT = "demo.service"
PATIENCE_SECONDS = 30.0
JOURNAL_BATCH_SECONDS = 0.6  # journald tells its readers in batches, up to half a second late

_DEMO = """\
[Unit]
Description=A service that nobody restarts

[Service]
ExecStart=/usr/bin/sleep infinity
Restart=no

[Install]
WantedBy=multi-user.target
"""


def main(arguments: list[str]) -> int:
    """Runs the demonstration on the named release with the named package."""
    release, package = Release(arguments[0]), Path(arguments[1])
    try:
        return _show(release, package)
    except KeyboardInterrupt:
        _say("Stopped.")
        return 130
    except ThrowawayError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _show(release: Release, package: Path) -> int:
    _say(f"Booting a throwaway Debian ({release}) with {package.name}; the first time this downloads Debian.")
    with boot(release, deb=package) as host, _reached(host, 8080) as api, _reached(host, 9090) as metrics:
        _say("It is up, and healthd with it:")
        _print(host, "healthctl", "status")
        key = host.run(["healthctl", "key", "add", "demo", "--scope", "control"]).stdout.split()[-1]
        _say("From this machine, for as long as it runs:")
        print(f"  probes   http://127.0.0.1:{api}/health/ready\n  metrics  http://127.0.0.1:{metrics}/metrics")
        print(f"  page     http://127.0.0.1:{api}/  with the key {key}", flush=True)
        _say(f"A service that systemd would not restart ({UNIT}: Restart=no):")
        host.write(f"/etc/systemd/system/{UNIT}", _DEMO)
        host.sh(f"systemctl daemon-reload && systemctl enable --quiet --now {UNIT}")
        first = host.await_unit(UNIT, "active")
        _say(
            f"It runs as process {first['MainPID']}. From here on you see the journal: journalctl -f -u healthd -u demo"
        )
        with _live_journal(host):
            healed = _break(host, first)
        if not healed:
            _say(f"{UNIT} was not healed within {PATIENCE_SECONDS:g} s.")
            return 1
        _print(host, "healthctl", "status")
        if sys.stdout.isatty():
            _stay(host)
    _say("The host is gone, nothing is left of it.")
    return 0


@contextmanager
def _reached(host: Host, port: int) -> Iterator[int]:
    """The host's port on this machine's loopback: the same one, or any if somebody has that."""
    with ExitStack() as open_ports:
        try:
            local = open_ports.enter_context(host.forward(port, local=port))
        except OSError:
            local = open_ports.enter_context(host.forward(port))
        yield local


def _break(host: Host, first: dict[str, str]) -> bool:
    """Kills the service; whether healthd says that it is healed, and systemd that it runs again."""
    since, start = host.cursor(), time.monotonic()
    _say(f"kill -9 {first['MainPID']}")
    host.run(["kill", "-9", first["MainPID"]])
    try:
        again = host.await_unit(UNIT, "active", invocation_other_than=first["InvocationID"], seconds=PATIENCE_SECONDS)
        told = [f"HEALTHD_UNIT={UNIT}", "HEALTHD_EVENT=healing_finished", "HEALTHD_OUTCOME=success"]
        host.await_record(since, *told, seconds=PATIENCE_SECONDS)
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return False
    _say(f"It runs again, as process {again['MainPID']}; verified {time.monotonic() - start:.1f} s after the kill.")
    return True


def _stay(host: Host) -> None:
    _say("Break more of it from another terminal, as root:")
    print("  " + " ".join(host.enter(["bash"])))
    _say("Ctrl-C ends the host. Until then, the journal:")
    with _live_journal(host) as journal, suppress(KeyboardInterrupt):
        journal.wait()


@contextmanager
def _live_journal(host: Host) -> Iterator[subprocess.Popen[bytes]]:
    """Prints what healthd and the service write, as they write it."""
    follow = ["journalctl", "--follow", "--lines=all", f"--after-cursor={host.cursor()}", "--output=short-precise"]
    with subprocess.Popen(host.enter([*follow, "--unit=healthd", f"--unit={UNIT}"])) as journal:
        try:
            yield journal
            time.sleep(JOURNAL_BATCH_SECONDS)
        finally:
            journal.terminate()


def _print(host: Host, *argv: str) -> None:
    print(host.run(argv, check=False).stdout, end="", flush=True)


def _say(text: str) -> None:
    mark = "\033[1m==> {}\033[0m" if sys.stdout.isatty() else "==> {}"
    print(mark.format(text), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
