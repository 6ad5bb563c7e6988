"""healthd: the healer that systemd hosts lack."""

__version__ = "0.1.0"
