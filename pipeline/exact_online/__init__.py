"""Exact Online, read: how it is asked and how it writes things. What the answers mean is decided in `transform/`."""
