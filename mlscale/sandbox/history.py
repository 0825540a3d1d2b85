"""All that a Prometheus of the simulated cluster knows: the scenario's past, and what it has scraped since."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_answers import Question, answer
from mlscale.sandbox.history_past import past_tracks
from mlscale.sandbox.history_tracks import joined_tracks, recorded_track

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.sandbox.history_answers import Found
    from mlscale.sandbox.history_record import Recorder
    from mlscale.sandbox.history_tracks import FloatArray, Track
    from mlscale.sandbox.prometheus_queries import Recognised


class History:
    """Works the past out when it is made, which takes about a second for a week."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        start = recorder.start.timestamp()
        self._past = [
            track
            for present in recorder.present
            for track in past_tracks(present, recorder.scenario, recorder.seed, start)
        ]
        self._tracks: list[Track] = []
        self._newest = -np.inf

    def now(self) -> float:
        """The present moment, in seconds since the epoch."""
        return self._recorder.now.timestamp()

    def answer(self, asked: Recognised, times: Sequence[int]) -> list[Found]:
        """What the query yields at ``times`` (milliseconds since the epoch, ascending)."""
        self._catch_up()
        moments = np.array(times, dtype=np.float64) / 1000
        found = [self._of_namespace(name, asked, moments) for name in dict.fromkeys(asked.namespaces)]
        return sorted(chain.from_iterable(found), key=lambda series: sorted(series.labels.items()))

    def _of_namespace(self, namespace: str, asked: Recognised, times: FloatArray) -> list[Found]:
        owners = self._recorder.replicaset_owners.items()
        own = {own: owner for (where, own), owner in owners if where == namespace}
        question = Question(asked.parameters, times, self._newest, own)
        found = answer(asked.name, question, [track for track in self._tracks if track.scraped.namespace == namespace])
        if not asked.of_several:
            return found
        return [replace(series, labels={**series.labels, "namespace": namespace}) for series in found]

    def _catch_up(self) -> None:
        """Take in what was scraped since the last question."""
        newest = self._recorder.newest.timestamp()
        if newest != self._newest:
            live = [recorded_track(recorded) for recorded in self._recorder.recorded.values()]
            self._tracks = joined_tracks([*self._past, *live])
            self._newest = newest
