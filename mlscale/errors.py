"""The errors that mlscale raises, and the exit code of each.

Every error is one sentence saying what is wrong, with a hint saying what would be right.
Only ``mlscale.cli`` catches them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The exit codes of ``mlscale``; docs/reference/exit-codes.md lists them."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    CONFLICT = 5
    REFUSED = 6
    TIMED_OUT = 7
    CHANGED_MEANWHILE = 8
    NOT_ENOUGH_DATA = 9
    DIFFERS = 10
    """``--check``: what runs is not what is recommended. An answer, not an error."""
    INTERRUPTED = 130


class MlscaleError(Exception):
    """Something failed: ``message`` says what is wrong, ``hint`` what would be right."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(MlscaleError):
    """The command line does not say something that can be done."""

    exit_code = ExitCode.USAGE


class ConfigError(MlscaleError):
    """The kubeconfig or its credentials cannot be used."""


class NotFoundError(MlscaleError):
    """A name, type or namespace that the server does not have."""

    exit_code = ExitCode.NOT_FOUND


class NotAllowedError(MlscaleError):
    """401 or 403."""

    exit_code = ExitCode.NOT_ALLOWED


class ConflictError(MlscaleError):
    """Another manager owns the field, or a precondition does not hold."""

    exit_code = ExitCode.CONFLICT


class RefusedError(MlscaleError):
    """A check before the write says that it would not work; nothing was written."""

    exit_code = ExitCode.REFUSED


class WaitTimeoutError(MlscaleError):
    """The write was done, its effect did not come in time."""

    exit_code = ExitCode.TIMED_OUT


class ChangedMeanwhileError(MlscaleError):
    """Someone else changed the replicas while mlscale waited."""

    exit_code = ExitCode.CHANGED_MEANWHILE


class NotEnoughDataError(MlscaleError):
    """The history is too short, or has too many gaps, to say anything."""

    exit_code = ExitCode.NOT_ENOUGH_DATA
