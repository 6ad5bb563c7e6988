"""Decide whether and how to act: the pure engine. No clock, no I/O: `step` is a function of its arguments."""
