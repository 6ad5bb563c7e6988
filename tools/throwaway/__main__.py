"""Throwaway hosts from a shell: `python3 -m tools.throwaway {shell,run,build} ...`."""

import argparse
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from tools.throwaway.errors import ThrowawayError
from tools.throwaway.host import boot
from tools.throwaway.machine import Machine
from tools.throwaway.tree import Release, base
from tools.throwaway.vm import boot_vm

# A shell wants a terminal of its own host: this machine's does not exist there.
_TERMINAL = ["script", "--quiet", "--return", "--command"]


def main() -> int:
    """Runs one verb; a host that cannot be made is one line on stderr and status 1."""
    arguments = _parser().parse_args()
    if os.geteuid() != 0:
        print("throwaway: needs root to mount and to boot containers; try again with sudo", file=sys.stderr)
        return 1
    try:
        if arguments.verb == "build":
            return _build(arguments.releases, arguments.extra)
        with _booted(arguments) as host:
            return _shell(host) if arguments.verb == "shell" else _run(host, arguments.command)
    except ThrowawayError as error:
        print(f"throwaway: {error}", file=sys.stderr)
        return 1


def _booted(arguments: argparse.Namespace) -> AbstractContextManager[Machine]:
    if arguments.vm:
        return boot_vm(arguments.release, deb=arguments.deb, extra=arguments.extra)
    return boot(arguments.release, deb=arguments.deb, extra=arguments.extra, binds=arguments.bind)


def _build(releases: list[Release], extra: list[str]) -> int:
    for release in releases:
        print(f"{release}: ", end="", flush=True)
        with base(release, extra=extra) as made:
            print(made.directories[0])
    return 0


def _shell(host: Machine) -> int:
    print(f"A root shell in a throwaway Debian {host.release}; all of it is gone when the shell ends.", flush=True)
    terminal = {"TERM": os.environ.get("TERM", "dumb")}
    return subprocess.call(host.enter([*_TERMINAL, "bash -l", "/dev/null"], env=terminal))


def _run(host: Machine, command: list[str]) -> int:
    return subprocess.call(host.enter(command))


def _package(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text} (make one with: make deb)")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m tools.throwaway", description="Throwaway Debian hosts.")
    verbs = parser.add_subparsers(dest="verb", required=True)

    build = verbs.add_parser("build", help="download the trees that hosts boot from")
    build.add_argument("releases", nargs="*", type=Release, default=list(Release), metavar="RELEASE")

    shell = verbs.add_parser("shell", help="boot a host and open a root shell in it")
    run = verbs.add_parser("run", help="boot a host, run a command in it, and end with its status")
    for verb in (shell, run):
        verb.add_argument("release", type=Release, metavar="RELEASE", help=" or ".join(Release))
        verb.add_argument("--vm", action="store_true", help="a virtual machine in place of a container")
        verb.add_argument("--deb", type=_package, help="a package to install before the boot")
        verb.add_argument("--bind", action="append", default=[], metavar="PATH:PATH_IN_HOST", help="mounted read-only")
    run.add_argument("command", nargs="+")
    for verb in (build, shell, run):
        verb.add_argument("--extra", action="append", default=[], metavar="PACKAGE", help="a further Debian package")
    return parser


if __name__ == "__main__":
    sys.exit(main())
