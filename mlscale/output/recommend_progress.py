"""How far reading the history has come, as a sentence with a bar."""

from __future__ import annotations

CELLS = 20


def progress_words(done: float, total: float, noun: str) -> str:
    """``[#####...............] 12 of 48 answers``; ``done`` above ``total`` counts as all."""
    part = min(1.0, done / total) if total > 0 else 1.0
    full = int(CELLS * part)
    return f"[{'#' * full}{'.' * (CELLS - full)}] {min(done, total):.0f} of {total:.0f} {noun}"
