"""What runs: workloads, pods and HPAs as ``kubectl get`` shows them, and why something does not work."""
