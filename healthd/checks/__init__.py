"""What healthd looks at, one file each."""
