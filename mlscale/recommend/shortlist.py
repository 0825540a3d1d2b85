"""Which of many settings to replay: those that an estimate has as the best, then what the replays leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlscale.hpa.replay_model import Candidates
    from mlscale.usage.model import FloatArray

    Flags = NDArray[np.bool_]
    Places = NDArray[np.intp]

AS_CHEAP = 0.02
"""Settings within this share of the least cost are taken as equally cheap."""
_WINDOW_PRICE = 1.25
_EACH = 3
"""Settings of a kind that are replayed together."""
_NEAR = (0.25, 1.0, 2.0)
"""Shares of the budget up to which the estimate has to come for a replay: it may be too low, or too high."""
_WORTH = 0.995
"""The share of the cost known that another setting has to stay under to be worth a replay."""
_FLOOR = 1 / 64
"""The share of the budget that is added to what is estimated and what is known, so that their ratio means something."""


@dataclass(frozen=True)
class Outlook:
    """K settings, arrays of shape (K,), as estimated, or as replayed."""

    cost: FloatArray
    changes: FloatArray
    """Of the replicas, on any scale."""
    feared: FloatArray
    """The share of demand to expect unmet."""


def pick(candidates: Candidates, outlook: Outlook, among: Flags) -> int:
    """The cheapest of ``among``, of which there is one at least; of equally cheap ones the calmest."""
    cost = np.where(among, outlook.cost, np.inf)
    cheap = cost <= float(cost.min()) * (1 + AS_CHEAP)
    # A window of its own has to save a fifth of the changes to be worth a spec.behavior.
    changes = outlook.changes * np.where(candidates.has_behavior, _WINDOW_PRICE, 1.0)
    # Of estimates that are all the same, the highest target turns out the cheapest.
    return int(np.lexsort((-candidates.target, cost, np.where(cheap, changes, np.inf)))[0])


def within(outlook: Outlook, budget: float) -> Flags:
    """Those whose unmet share is within ``budget``, or where none is, those that leave the least."""
    return np.asarray(outlook.feared <= max(budget, float(outlook.feared.min()) * (1 + AS_CHEAP)))


def first_picks(candidates: Candidates, estimated: Outlook, budget: float) -> Places:
    """What to replay first: the best by the estimate, whether it is too high or too low; ascending."""
    chosen = [index for share in _NEAR for index in _best(candidates, estimated, within(estimated, share * budget))]
    return np.unique([*chosen, *_best(candidates, estimated, within(estimated, 0.0), 1)])


def next_picks(candidates: Candidates, estimated: Outlook, replayed: Outlook, known: Flags, budget: float) -> Places:
    """What may turn out better than what is ``known``, by estimates corrected by it; ascending, none at the end.

    ``replayed`` counts where ``known``.
    """
    good = known & (replayed.feared <= budget)
    still = ~known & ~_settled(candidates, good, known & ~good)
    chosen: list[int] = []
    if good.any():
        dearer = float(np.median(replayed.cost[known] / np.maximum(estimated.cost[known], 1e-12)))
        cheaper = still & (estimated.cost * dearer <= _WORTH * float(replayed.cost[good].min()))
    else:
        cheaper = still
        chosen += [*_safest(candidates, still), *_best(candidates, estimated, still & _least(estimated, still))]
    worse = (replayed.feared[known] + _FLOOR * budget) / (estimated.feared[known] + _FLOOR * budget + 1e-12)
    for ratio in (float(worse.max()), float(np.median(worse))):
        chosen += _best(candidates, estimated, cheaper & ((estimated.feared + _FLOOR * budget) * ratio <= budget))
    return np.unique(np.array(chosen, dtype=np.intp))


def _best(candidates: Candidates, outlook: Outlook, among: Flags, count: int = _EACH) -> list[int]:
    """The best, then the best of the rest, and so on."""
    left, chosen = among.copy(), list[int]()
    while left.any() and len(chosen) < count:
        chosen.append(pick(candidates, outlook, left))
        left[chosen[-1]] = False
    return chosen


def _settled(candidates: Candidates, good: Flags, bad: Flags) -> Flags:
    """Those that need no replay: they leave more unmet than one that leaves too much, or cost more than a good one.

    A higher target, a lower min and a shorter window save, and leave more unmet.
    """
    settled = np.zeros(len(candidates), dtype=bool)
    columns = (candidates.target, -candidates.min_replicas, -candidates.down_window)
    for index in np.flatnonzero(bad):
        settled |= np.logical_and.reduce([column >= column[index] for column in columns]) & _alike(candidates, index)
    for index in np.flatnonzero(good):
        less = np.logical_and.reduce([column <= column[index] for column in columns])
        settled |= less & (columns[0] < columns[0][index]) & _alike(candidates, index)
    return settled


def _alike(candidates: Candidates, index: np.intp) -> Flags:
    return np.asarray(candidates.request == candidates.request[index])


def _safest(candidates: Candidates, among: Flags) -> list[int]:
    """The one of ``among`` that leaves the least unmet, whatever the load."""
    order = np.lexsort((-candidates.down_window, candidates.target, -candidates.min_replicas, ~among))
    return [int(order[0])] if among.any() else []


def _least(estimated: Outlook, among: Flags) -> Flags:
    """The few of ``among`` that have the least unmet by the estimate."""
    if not among.any():
        return among
    few = np.sort(estimated.feared[among])[:_EACH]
    return np.asarray(estimated.feared <= few[-1])
