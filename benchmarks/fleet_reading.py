"""What ``mlscale recommend`` does before the replay, as a whole process: a recommender of requests needs no more.

    python -m benchmarks.fleet_reading NAMESPACE PROMETHEUS DAYS

Lists the Deployments, reads what the cluster says about them and their histories, and prints each one's new requests.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict

from mlscale.errors import MlscaleError
from mlscale.kube.access import Overrides
from mlscale.kube.client import Client
from mlscale.kube.kinds import DEPLOYMENT
from mlscale.kube.kubeconfig import read_access
from mlscale.kube.targets import Found, Target
from mlscale.kube.transport import Transport
from mlscale.recommend.bottleneck import find_limits
from mlscale.recommend.flow import check_history, read_facts, read_one_by_one
from mlscale.recommend.signs import read_signs
from mlscale.recommend.sizing import plan_sizes
from mlscale.usage.prometheus import read_histories, server_time
from mlscale.usage.prometheus_service import prometheus_at


def main() -> None:
    """Print a line of JSON for each Deployment."""
    namespace, url, days = sys.argv[1], sys.argv[2], float(sys.argv[3])
    access = read_access(Overrides(), os.environ)
    client = Client(access, Transport(access, timeout=60.0))
    source = prometheus_at(url, os.environ)
    end = server_time(source)
    typed = {"apiVersion": "apps/v1", "kind": "Deployment"}
    found: list[Found | MlscaleError] = [
        Found(Target(DEPLOYMENT, namespace, item["metadata"]["name"]), {**typed, **item})
        for item in client.list_all(DEPLOYMENT.path(namespace))
    ]
    facts = read_facts(client, found)
    read = read_one_by_one(facts, lambda some: read_histories(source, some, end - days * 86400, end, lambda *_: None))
    for one, history in read:
        if history is None or isinstance(history, MlscaleError):
            sys.exit(f"{one.target.name} has no history: {history}")
        check_history(one.target, history, 0.9 * days * 86400)
        signs = read_signs(one, history)
        sizes = plan_sizes(signs, find_limits(signs))
        print(json.dumps({"name": one.target.name, "sizes": [asdict(size.then) for size in sizes]}))


if __name__ == "__main__":
    main()
