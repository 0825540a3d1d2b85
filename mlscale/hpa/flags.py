"""The flags of kube-controller-manager that the HPA's decisions depend on."""

from __future__ import annotations

from mlscale.frozen import frozen
from mlscale.hpa.tolerance import DEFAULT_TOLERANCE


@frozen
class ControllerFlags:
    """``--horizontal-pod-autoscaler-*`` with its defaults, times in seconds.

    Source: kubernetes pkg/controller/podautoscaler/config/v1alpha1/defaults.go, v1.37.2.
    """

    sync_period: float = 15.0
    tolerance: float = DEFAULT_TOLERANCE
    downscale_stabilization: float = 300.0
    cpu_initialization_period: float = 300.0
    initial_readiness_delay: float = 30.0
    keeps_edge: bool = True
    """Whether a recommendation exactly as old as ``downscale_stabilization`` still holds an HPA without behavior.

    True is upstream's comparison to the letter. A real controller's runs lie a little over ``sync_period`` apart,
    so that such an age never occurs: on an exact grid of 15 s, False is nearer to what a cluster does (8 -> 4 after
    300 s, not after 315 s).
    """
