"""What can go wrong with a throwaway host.

ThrowawayError
├── BuildFailed      a tree or a layer could not be made
├── BootFailed       the host did not come up; carries the end of its console
└── CommandFailed    a command in the host ended with another status than 0
"""


class ThrowawayError(Exception):
    """Root of everything this package raises on purpose."""


class BuildFailed(ThrowawayError):
    """A tree or a layer could not be made; the message ends with the tool's own last lines."""


class BootFailed(ThrowawayError):
    """The host did not come up in time, or its container ended while it booted."""


class CommandFailed(ThrowawayError):
    """A command in the host failed; `stdout` and `stderr` are what it said."""

    def __init__(self, argv: list[str], returncode: int, stdout: str, stderr: str) -> None:
        self.argv, self.returncode, self.stdout, self.stderr = argv, returncode, stdout, stderr
        said = "\n".join(part.rstrip() for part in (stdout, stderr) if part.strip())
        super().__init__(f"{' '.join(argv)} ended with status {returncode}" + (f":\n{said}" if said else ""))
