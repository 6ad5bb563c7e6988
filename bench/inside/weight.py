"""What a process weighs on this host. Argument: PID; prints {"alone": KiB}.

It is the proportional set size, but for one thing: a page of a file counts in parts for the processes of this host that
map the file. The kernel would count those of other containers on the same machine too, whose files are the same ones.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

_MAPPING = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+ \d+)")

_File = str
_Sizes = dict[_File, list[int]]


def _sizes(pid: str) -> _Sizes:
    """Of each mapped file (by device and inode) what is in memory and what of that is the process's own, in KiB."""
    found: _Sizes = defaultdict(lambda: [0, 0])
    at = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8", errors="replace").splitlines():
        if match := _MAPPING.match(line):
            at = match[1]
        elif line.startswith("Rss:"):
            found[at][0] += int(line.split()[1])
        elif line.startswith("Anonymous:"):
            found[at][1] += int(line.split()[1])
    return found


def main() -> None:
    """Weigh and print."""
    mapped: Counter[_File] = Counter()
    for pid in (entry.name for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        if pid == str(os.getpid()):
            continue
        try:
            mapped.update(file for file, (resident, _) in _sizes(pid).items() if resident)
        except OSError:  # it ended meanwhile
            continue
    own = _sizes(sys.argv[1])
    alone = sum(mine + (resident - mine) / max(1, mapped[file]) for file, (resident, mine) in own.items())
    print(json.dumps({"alone": alone}))


if __name__ == "__main__":
    main()
