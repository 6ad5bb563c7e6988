"""What healthd would have done: recorded steps of the engine, replayed under other settings (docs/simulate.md)."""
