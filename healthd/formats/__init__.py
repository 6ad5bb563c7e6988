"""Texts in formats of others, taken apart: pure functions of bytes, tolerant of what they are not about."""
