"""All that a Prometheus of the simulated cluster knows: the scenario's past, and what it has scraped since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlscale.sandbox.history_answers import Question, answer
from mlscale.sandbox.history_past import past_tracks
from mlscale.sandbox.history_tracks import joined_tracks, recorded_track

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlscale.sandbox.history_answers import Found
    from mlscale.sandbox.history_record import Recorder
    from mlscale.sandbox.history_tracks import Track


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

    def answer(self, name: str, parameters: Mapping[str, str], times: Sequence[int]) -> list[Found]:
        """What ``QUERIES[name]`` with ``parameters`` yields at ``times`` (milliseconds since the epoch, ascending)."""
        self._catch_up()
        namespace = parameters.get("namespace", "")
        owners = self._recorder.replicaset_owners.items()
        question = Question(
            parameters,
            np.array(times, dtype=np.float64) / 1000,
            self._newest,
            {own: owner for (where, own), owner in owners if where == namespace},
        )
        return answer(name, question, [track for track in self._tracks if track.scraped.namespace == namespace])

    def _catch_up(self) -> None:
        """Take in what was scraped since the last question."""
        newest = self._recorder.newest.timestamp()
        if newest != self._newest:
            live = [recorded_track(recorded) for recorded in self._recorder.recorded.values()]
            self._tracks = joined_tracks([*self._past, *live])
            self._newest = newest
