"""Deployments and patches of them, generated from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Json = dict[str, Any]


class Patches:
    """A stream of bodies: each call makes another one."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def deployment(self) -> Json:
        """A whole deployment of no replicas, to create, replace or apply."""
        spec: Json = {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": self._pod()},
        }
        self._maybe(spec, "minReadySeconds", lambda: self._random.randint(0, 2))
        self._maybe(spec, "strategy", lambda: self._random.choice([{"type": "Recreate"}, {"type": "RollingUpdate"}]))
        metadata = {"name": "web"}
        self._maybe(metadata, "labels", lambda: {name: self._random.choice("12") for name in self._names("l")})
        self._maybe(metadata, "finalizers", lambda: [f"x.io/{name}" for name in self._names("f")])
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    def configuration(self) -> Json:
        """A part of a deployment, to apply."""
        config = self.deployment()
        for key in self._random.sample(["selector", "template", "replicas"], self._random.randint(0, 2)):
            del config["spec"][key]
        return config

    def merge(self) -> Json:
        """A JSON merge patch."""
        labels = self._random.choice([None, {"l0": None, "l3": "1"}])
        return {"spec": {"template": {"spec": self._pod()}, "minReadySeconds": None}, "metadata": {"labels": labels}}

    def strategic(self) -> Json:
        """A strategic merge patch with some directives."""
        pod: Json = {"containers": [self._container_change(name) for name in self._names("c", 4)]}
        self._maybe(pod, "$setElementOrder/containers", lambda: [{"name": name} for name in self._names("c", 4)])
        self._maybe(pod, "volumes", lambda: [self._volume_change(name) for name in ["v0", *self._names("w")]])
        self._maybe(
            pod, "nodeSelector", lambda: self._random.choice([None, {"$patch": "replace", "q": "r"}, {"n": "1"}])
        )
        metadata: Json = {}
        self._maybe(metadata, "finalizers", lambda: [f"x.io/{name}" for name in self._names("f")])
        self._maybe(metadata, "$setElementOrder/finalizers", lambda: [f"x.io/{name}" for name in self._names("f")])
        self._maybe(metadata, "labels", lambda: self._random.choice([None, {"l0": None, "l7": "1"}]))
        return {"spec": {"template": {"spec": pod}}, "metadata": metadata}

    def _container_change(self, name: str) -> Json:
        if self._random.random() < 0.2:
            return {"name": name, "$patch": "delete"}
        change = {"name": name, **self._container(name)}
        self._maybe(change, "$setElementOrder/env", lambda: [{"name": each} for each in self._names("E", 4)])
        return change

    def _volume_change(self, name: str) -> Json:
        kept = {"name": name, "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}
        return self._random.choice([{"name": name, "$patch": "delete"}, kept])

    def _pod(self) -> Json:
        names = self._names("c")
        pod: Json = {"containers": [self._container(name) for name in dict.fromkeys([*names, "c0"])]}
        pod["volumes"] = [
            {"name": "v0", "emptyDir": {}},
            *({"name": name, "emptyDir": {}} for name in self._names("w")),
        ]
        self._maybe(pod, "tolerations", lambda: [{"key": name, "operator": "Exists"} for name in self._names("t")])
        self._maybe(pod, "nodeSelector", lambda: dict.fromkeys(self._names("n"), "y"))
        return pod

    def _container(self, name: str) -> Json:
        container: Json = {"name": name, "image": self._random.choice(["i:1", "i:2"])}
        self._maybe(container, "env", lambda: [{"name": each, "value": "1"} for each in self._names("E", 4)])
        self._maybe(container, "args", lambda: self._names("a"))
        self._maybe(container, "ports", self._ports)
        return container

    def _ports(self) -> list[Json]:
        extra = [{}, {"protocol": "TCP"}, {"protocol": "UDP"}]
        numbers = self._random.sample([80, 443, 9000], self._random.randint(0, 3))
        return [{"containerPort": number, **self._random.choice(extra)} for number in numbers]

    def _names(self, prefix: str, most: int = 3) -> list[str]:
        return [f"{prefix}{n}" for n in self._random.sample(range(most), self._random.randint(0, most))]

    def _maybe(self, body: Json, key: str, make: Callable[[], Any]) -> None:
        if self._random.random() < 0.4:
            body[key] = make()
