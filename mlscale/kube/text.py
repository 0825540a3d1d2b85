"""Text from a cluster is untrusted: an object's name or message can carry terminal escapes."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""``text`` with control and direction-changing characters written as ``\x1b``, ``\u202e``; ``\t`` is kept."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) for c in text)


def counted(count: int, noun: str) -> str:
    """``1 replica``, ``2 replicas``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _escaped(character: str) -> str:
    # isprintable is False for control (Cc), format (Cf, so bidi overrides), surrogate and separator characters.
    if character.isprintable() or character == "\t":
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
