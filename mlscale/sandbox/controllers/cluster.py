"""What every controller works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.sandbox.controllers.events import EventNames, EventRecorder
from mlscale.sandbox.controllers.ownership import ChildPods, Children
from mlscale.sandbox.controllers.work import WorkQueue
from mlscale.sandbox.verbs import CONTROLLER, Caller

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.store import Change, Store
    from mlscale.sandbox.verbs import Api


class Cluster:
    """The API, the simulated time, the queue of work, and what is known of the objects without asking.

    Controllers register what they want to see with ``watch``; the indexes are told before them.
    """

    def __init__(self, api: Api, store: Store, agenda: Agenda, random: random.Random) -> None:
        self.api = api
        self.store = store
        self.agenda = agenda
        self.random = random
        self.queue = WorkQueue(agenda)
        self.event_names = EventNames(agenda)
        self.pods = ChildPods()
        self.replicasets = Children()
        self._watchers: dict[str, list[Callable[[Change], None]]] = {
            "pods": [self.pods.observe],
            "replicasets.apps": [self.replicasets.observe],
        }
        store.subscribe(self._dispatch)

    def watch(self, resource: str, watcher: Callable[[Change], None]) -> None:
        """Have ``watcher`` called with each change of ``resource``, or of every one where it is ``*``."""
        self._watchers.setdefault(resource, []).append(watcher)

    def recorder(self, component: str, host: str = "", caller: Caller = CONTROLLER) -> EventRecorder:
        """The recorder of one component."""
        return EventRecorder(self.api, self.event_names, self.agenda, caller, component, host)

    def _dispatch(self, change: Change) -> None:
        for name in (change.resource, "*"):
            for watcher in self._watchers.get(name, ()):
                watcher(change)
