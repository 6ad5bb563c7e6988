"""What healthd can do, one file each."""
