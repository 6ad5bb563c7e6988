"""Speed and size of healthd, measured beside its peers on a booted Debian: `make bench`."""
