"""What runs inside the measured host, by its own Python; each program prints one JSON value."""
