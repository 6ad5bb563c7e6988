"""The delivery process: takes letters from the outbox to those who are to be told. Ends when there is nothing to do."""
