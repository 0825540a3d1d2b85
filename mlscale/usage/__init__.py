"""What workloads used, from wherever it was recorded."""
