"""How long programs take as whole processes. Arguments: COUNT PROGRAM_LINE ...; prints {LINE: [ms, ...]}.

Interleaved, so that all of them meet the same moods of the machine.
"""

from __future__ import annotations

import json
import os
import sys
import time


def main() -> None:
    """Run each line in turn, COUNT times."""
    count, lines = int(sys.argv[1]), sys.argv[2:]
    found: dict[str, list[float]] = {line: [] for line in lines}
    quiet = [(os.POSIX_SPAWN_OPEN, each, "/dev/null", os.O_WRONLY, 0) for each in (1, 2)]
    for _ in range(count):
        for line in lines:
            argv = line.split()
            start = time.perf_counter()
            pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=quiet)
            os.waitpid(pid, 0)
            found[line].append((time.perf_counter() - start) * 1e3)
            time.sleep(0.05)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
