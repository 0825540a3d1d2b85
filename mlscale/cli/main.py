"""The command ``mlscale``: starts and ends the process; the only place that catches errors."""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn

from mlscale.cli.ahead import connect_ahead
from mlscale.cli.interrupts import hear_lost_interrupts, ignore_interrupts
from mlscale.errors import ExitCode, MlscaleError
from mlscale.output.messages import Messages

OBJECTS_BEFORE_COLLECTION = 50_000
"""How many more objects there must be for the garbage collector to look for cycles among the new ones.

Python's 700 (2,000 since 3.13) lets it run 80 times while modules are imported, which are no garbage: 4 % of a run.
"""


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION)
    hear_lost_interrupts()
    _open_streams()
    code = run(sys.argv[1:])
    if code == ExitCode.INTERRUPTED:
        ignore_interrupts()
    _end(code)


def _end(code: int) -> NoReturn:
    """End the process with ``code``, at once where nobody has asked to be told of its end.

    Python would take each module apart, object by object: 10 % of a run, for memory that goes anyway.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    others = [thread for thread in threading.enumerate() if not thread.daemon]
    if len(others) == 1 and not atexit._ncallbacks():
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run ``arguments``; the exit code. Nothing escapes as a traceback but a defect of mlscale itself."""
    messages = Messages(sys.stderr, os.environ)
    try:
        ahead = connect_ahead(arguments)
        from mlscale.cli.app import invoke

        code = invoke(arguments, ahead)
    except MlscaleError as error:
        messages.error(error)
        code = error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as error:
        # How typer ends a completion, and what it makes of an output whose reader has gone.
        code = ExitCode.DONE if isinstance(error.__context__, BrokenPipeError) else int(error.code or ExitCode.DONE)
    except OSError as error:
        code = _not_written(error, messages)
    except Exception as error:  # A person at a terminal, or a log, must not get a traceback.
        messages.error(_defect(error))
        if "--debug" in arguments:
            raise
        return ExitCode.ERROR
    return _flushed(code, messages)


def _open_streams() -> None:
    """A stream that the caller has closed (``>&-``) discards; text is UTF-8 as kubectl's, whatever the locale."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _flushed(code: int, messages: Messages) -> int:
    """Write what is left to stdout; ``code``, or that of an error in doing so."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return code or _not_written(error, messages)
    return code


def _not_written(error: OSError, messages: Messages) -> int:
    # The interpreter must not try to flush it once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone, as with `| head`.
        return ExitCode.DONE
    messages.error(MlscaleError(f"cannot write to standard output: {error.strerror}", "what was asked may be done"))
    return ExitCode.ERROR


def _defect(error: Exception) -> MlscaleError:
    """A mistake of mlscale itself; its text may hold anything, so only the kind of it and the place are told."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else ""
    return MlscaleError(f"mlscale failed: {type(error).__name__}{where}", "please report it; --debug shows more")
