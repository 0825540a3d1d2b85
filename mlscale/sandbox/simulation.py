"""One simulated cluster: its objects, its time, its control plane, and what its pods do."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from mlscale.sandbox.agenda import Agenda
from mlscale.sandbox.controllers.control_plane import start_control_plane
from mlscale.sandbox.controllers.namespaces import create_first_namespaces
from mlscale.sandbox.store import Store
from mlscale.sandbox.verbs import Api

if TYPE_CHECKING:
    from datetime import datetime

    from mlscale.sandbox.scenario import Scenario


class Simulation:
    """The cluster of a scenario. The same scenario, seed and writes make the same run, to the byte."""

    def __init__(self, scenario: Scenario, seed: int, start: datetime) -> None:
        """Set the cluster up at ``start`` (with a time zone); its nodes and objects are there, settled."""
        self.scenario = scenario
        self.random = random.Random(f"{seed}/life")
        self.agenda = Agenda(start)
        self.store = Store()
        self.api = Api(self.store, self.agenda, random.Random(f"{seed}/api"))
        start_control_plane(
            self.api,
            self.store,
            self.agenda,
            random.Random(f"{seed}/control plane"),
        )
        create_first_namespaces(self.api)
        self.settle()

    def advance(self, to: datetime) -> None:
        """Let simulated time pass until ``to``."""
        self.agenda.advance(to)

    def settle(self) -> None:
        """Work off what writes have set going, at the present moment."""
        self.agenda.advance(self.agenda.now)
