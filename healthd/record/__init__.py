"""Record what happened: the engine's state on disk, and the story in the journal."""
