"""``python -m mlscale``."""

from mlscale.cli.main import main

main()
