"""Assess readings against limits and history: pure functions of numbers and values."""
