"""Starts programs, one after another, and says what each took: an order a line on stdin, an answer a line on stdout.

A process of its own, small and without a thread: on Linux the peak memory that wait4 gives of a program is at least
that of the process which started it (exec keeps the mark), so a harness of 40 MB could not tell programs of 30 MB.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main() -> None:
    """Serve until stdin ends."""
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), flush=True)


def run(command: list[str], environment: dict[str, str], files: list[str], seconds: float) -> dict[str, float]:
    """Run one program to its end, or kill it after ``seconds``.

    ``files`` are the paths of its stdin, stdout and stderr. Gives ``wall`` and ``cpu`` in seconds, ``peak`` in KiB and
    ``code``, the exit code, or minus the signal that ended it.
    """
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    flags = (os.O_RDONLY, write, write)
    opened = [(os.POSIX_SPAWN_OPEN, number, path, flags[number], 0o600) for number, path in enumerate(files)]
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, environment, file_actions=opened)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(process, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - started
    signal.setitimer(signal.ITIMER_REAL, 0)
    code = os.waitstatus_to_exitcode(status)
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss, "code": code}


if __name__ == "__main__":
    main()
