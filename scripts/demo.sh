#!/usr/bin/env bash
# Shows mlscale at work. `make demo` runs it in a practice cluster of docs/manifests/demo.yaml, sped up thirty times.
set -euo pipefail

MODEL=my-ml-model
SECONDS_TO_WAIT=60

say() { printf '\n# %s\n' "$*"; }

# Runs mlscale as shown; the exit code is shown where it is not 0.
run() {
  printf '$ mlscale %s\n' "$*"
  local code=0
  mlscale "$@" 2>&1 || code=$?
  [ "$code" -eq 0 ] || printf '(exit code %s)\n' "$code"
}

# Waits until the HPA's row matches a pattern: until_hpa PATTERN
until_hpa() {
  local deadline=$((SECONDS + SECONDS_TO_WAIT))
  until mlscale status "hpa/$MODEL" --only hpa 2>/dev/null | grep -Eq "$1"; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "error: the HPA did not come to $1 within $SECONDS_TO_WAIT s" >&2
      exit 1
    fi
    sleep 0.2
  done
}

say 'What runs in this practice cluster: three model servers.'
run status

say 'Scale one of them to three copies, and wait until they are ready.'
run scale "$MODEL" --replicas 3 --wait --timeout 1m

say 'The workload and its pods, in the columns of kubectl.'
run status "$MODEL"

say 'Autoscale it between 2 and 5 copies at 50 % CPU. The notes say at which use it will act.'
run autoscale "$MODEL" --min 2 --max 5 --cpu 50

say 'Each pod uses almost half of the CPU that it requests: the HPA has nothing to do.'
until_hpa 'cpu: 4[0-9]%/50% +2 +5 +3 '
run status "$MODEL" --only hpa

say 'The load doubles. The HPA adds copies, up to its maximum.'
until_hpa 'cpu: 5[5-9]%/50% +2 +5 +5 '
run status "$MODEL"

say 'Scaling past the HPA would be undone. With --strict it is refused before anything is written.'
run scale "$MODEL" --replicas 9 --strict

say 'An HPA on a share of the CPU request cannot work without one. This container has none.'
run autoscale embedder --min 2 --max 5 --cpu 50%

say 'More copies of a model that needs a GPU each: which resource is the limit?'
run scale llm-server --replicas 30 --check

say 'Which part limits the first model, and which setting would have served its last week at least cost?'
run recommend "$MODEL"

say 'Done.'
