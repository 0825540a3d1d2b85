"""How many new copies of a pod fit, what is short, and what could not be checked."""

from __future__ import annotations

from mlscale.frozen import frozen


@frozen
class Unknown:
    """A fact that could not be read; ``why`` is a clause such as ``nodes could not be read: …``."""

    why: str


@frozen
class Shortage:
    """One thing that admits fewer new copies than wanted."""

    reason: str
    """Insufficient, TooManyPods, NoEligibleNode, OnePerNode, QuotaExceeded, QuotaConstraint or LimitRange."""
    resource: str
    """The resource that is short (``nvidia.com/gpu``), or empty."""
    available: str
    needed: str
    """By one copy, as ``available`` formatted for a person; both empty where they mean nothing."""
    fits: int
    """How many of the wanted copies this alone admits."""
    message: str

    @property
    def what(self) -> str:
        """The message without the count in front."""
        return self.message.partition(" fit: ")[2] or self.message


@frozen
class Fit:
    """The outcome of a preflight."""

    wanted: int
    fits: int | Unknown
    """How many of ``wanted`` fit; an upper bound where ``unchecked`` is not empty."""
    limits: tuple[Shortage, ...] = ()
    unmodelled: tuple[str, ...] = ()
    """Names of what may also decide but is not considered, such as ``topologySpreadConstraints``."""
    unchecked: tuple[str, ...] = ()
    """Clauses saying what could not be read."""

    @property
    def falls_short(self) -> bool:
        """Whether some of the wanted copies certainly do not fit."""
        return not isinstance(self.fits, Unknown) and self.fits < self.wanted

    @property
    def message(self) -> str:
        """The whole result as one sentence for a person."""
        headline = self._headline()
        whys = "; ".join(shortage.what for shortage in sorted(self.limits, key=lambda shortage: shortage.fits))
        parts = [f"{headline}: {whys}" if whys else headline]
        if self.unmodelled:
            parts.append("not considered: " + ", ".join(self.unmodelled))
        if self.unchecked and not isinstance(self.fits, Unknown):
            parts.append("not checked: " + ", ".join(self.unchecked))
        return "; ".join(parts)

    def _headline(self) -> str:
        if isinstance(self.fits, Unknown):
            return f"cannot say how many of {copies(self.wanted)} fit: {self.fits.why}"
        return f"{self.fits} of {copies(self.wanted)} {'fits' if self.wanted == 1 else 'fit'}"


def copies(count: int) -> str:
    """``1 new copy``, ``5 new copies``."""
    return f"{count} new {'copy' if count == 1 else 'copies'}"
