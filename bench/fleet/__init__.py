"""Hosts that never were: the engine over a fleet of them, and what it does when the same befalls all."""
