"""Those who are told, one a file: how a letter looks to them, and where it goes. Run in the delivery process only."""
