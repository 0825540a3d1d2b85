"""A small simulated cluster in this process: the Kubernetes API, and workloads that behave as a scenario says."""
