"""The control loops of the simulated cluster: each reacts to what changed and writes through the API."""
