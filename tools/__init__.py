"""What developers run from the tree: throwaway Debian hosts and the demonstration. Never installed."""
