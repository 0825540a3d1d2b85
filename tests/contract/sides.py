"""The two sides of the contract, and what is asked of the one that the other cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.exchanges import Case, Player, difference, told

if TYPE_CHECKING:
    from tests.contract.api import Api

Json = dict[str, Any]

CONTROL_PLANE, SANDBOX = "control plane", "sandbox"
SIDES = (CONTROL_PLANE, SANDBOX)

control_plane_only = pytest.mark.parametrize("cluster", [CONTROL_PLANE], indirect=True, scope="session")
"""Of a test that looks at Kubernetes itself, so that a sandbox has no part in it."""


@dataclass(frozen=True)
class Stage:
    """A namespace of the same name on both sides, in which cases are played."""

    apis: tuple[Api, ...]
    """Of the control plane, of the sandbox."""
    namespace: str

    def play(self, one: Case) -> str:
        """Play ``one`` on both sides; in which answers they differ, empty where in none."""
        replies = [Player(api, self.namespace).play(one) for api in self.apis]
        return difference(one.sends, [[told(reply, self.namespace) for reply in side] for side in replies])

    def check(self, one: Case) -> None:
        """Fail where the sides differ and are not said to, or the other way round."""
        found = self.play(one)
        if one.differs:
            assert found, f"no difference: {one.name} is the same on both sides"
        else:
            if found:
                pytest.fail(found, pytrace=False)

    def create(self, path: str, body: Json) -> None:
        """Put an object on both sides."""
        for api in self.apis:
            api.call("POST", path.replace("{ns}", self.namespace), body)
