"""The verb ``scale``."""
