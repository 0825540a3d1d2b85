"""Which part limits a workload, which method scales it, and with which numbers, proved on its own history."""
