#!/usr/bin/env bash
# Shows mlscale at work on the cluster of $KUBECONFIG (`make demo` starts one), in a namespace of its own.
# MLSCALE and KUBECTL choose the programs.
set -euo pipefail

MLSCALE=${MLSCALE:-mlscale}
NAMESPACE=mlscale-demo
# Only a namespace that an earlier demo made is ever deleted.
LABEL=app.kubernetes.io/created-by=mlscale-demo
MANIFESTS=$(cd "$(dirname "$0")/../docs/manifests" && pwd)
METRICS_SECONDS=120
: "${KUBECONFIG:?names no cluster; run: make demo}"
if [ -z "${KUBECTL:-}" ]; then
  KUBECTL=$(command -v kubectl || echo "$(dirname "$KUBECONFIG")/kubectl")
fi

say() { printf '\n# %s\n' "$*"; }
kube() { "$KUBECTL" --namespace "$NAMESPACE" "$@"; }

# Runs mlscale as shown; the exit code is shown where it is not 0.
run() {
  printf '$ mlscale %s\n' "$*"
  local code=0
  "$MLSCALE" --namespace "$NAMESPACE" "$@" 2>&1 || code=$?
  [ "$code" -eq 0 ] || printf '(exit code %s)\n' "$code"
}

# Runs a command until it succeeds, for METRICS_SECONDS at most: wait_until WHAT COMMAND…
wait_until() {
  local what=$1 deadline=$((SECONDS + METRICS_SECONDS))
  shift
  until "$@"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "error: no $what within $METRICS_SECONDS s" >&2
      exit 1
    fi
    sleep 1
  done
}

is_measured() { [ -n "$(kube get hpa my-ml-model -o 'jsonpath={.status.currentMetrics[0].resource.current.averageUtilization}')" ]; }
has_ready() { [ "$(kube get deployment my-ml-model -o 'jsonpath={.status.readyReplicas}')" = "$1" ]; }
hpa_counts() { [ "$(kube get hpa my-ml-model -o 'jsonpath={.status.currentReplicas}')" = "$1" ]; }

clean_up() { "$KUBECTL" delete namespace --selector="$LABEL" --wait="$1" >/dev/null; }

clean_up true
"$KUBECTL" create namespace "$NAMESPACE" >/dev/null
trap 'clean_up false' EXIT
"$KUBECTL" label namespace "$NAMESPACE" "$LABEL" >/dev/null
kube wait --for=create serviceaccount/default --timeout=30s >/dev/null

say 'A model server: each pod requests 500m CPU and uses 250m.'
for manifest in my-ml-model llm-server embedder; do
  kube apply -f "$MANIFESTS/$manifest.yaml"
done

say 'Scale it to three copies, and wait until they are ready.'
run scale my-ml-model --replicas 3 --wait --timeout 1m

say 'The workload and its pods, in the columns of kubectl.'
run status my-ml-model

say 'Autoscale it between 2 and 5 copies at 50 % CPU. The notes say at which use it will act.'
run autoscale my-ml-model --min 2 --max 5 --cpu 50

say 'The first usage of new pods takes up to a minute. 250m of 500m is 50 %: the HPA has nothing to do.'
wait_until 'usage' is_measured
run status my-ml-model --only hpa

say 'The load rises to 450m a pod. The HPA adds pods, up to its maximum.'
kube annotate pods -l app=my-ml-model kwok.x-k8s.io/usage-cpu=450m --overwrite >/dev/null
wait_until 'scaling by the HPA' has_ready 5
wait_until 'update of the HPA' hpa_counts 5
run status my-ml-model

say 'Scaling past the HPA would be undone. With --strict it is refused before anything is written.'
run scale my-ml-model --replicas 9 --strict

say 'An HPA on a share of the CPU request cannot work without one. This container has none.'
run autoscale embedder --min 2 --max 5 --cpu 50%

say 'More copies of a model that needs a GPU each: which resource is the limit?'
run scale llm-server --replicas 30 --check

say 'Done.'
