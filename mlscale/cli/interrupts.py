"""Ctrl-C is heard wherever it arrives."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_AFTER = 0.05
"""Seconds until an interrupt that was lost is raised anew."""


def hear_lost_interrupts() -> None:
    """Raise again each KeyboardInterrupt that Python throws away.

    One that arrives while a weak reference's callback or a ``__del__`` runs (each thread that ends has such
    a callback) is printed as "Exception ignored in" and gone: a wait would go on as if nobody had pressed Ctrl-C.
    """
    told = sys.unraisablehook

    def hook(unraisable: UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            told(unraisable)
            return
        import threading

        # From another thread and a moment later, since raised at once it would be lost in this hook.
        again = threading.Timer(AGAIN_AFTER, _interrupt_main_thread)
        again.daemon = True
        again.start()

    sys.unraisablehook = hook


def ignore_interrupts() -> None:
    """Let no further Ctrl-C kill the process while it ends: the exit code would be the signal's."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _interrupt_main_thread() -> None:
    import signal
    import threading

    if not hasattr(signal, "pthread_kill"):
        import _thread

        _thread.interrupt_main()
        return
    # A signal, since interrupt_main does not wake a thread that sleeps or reads.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
