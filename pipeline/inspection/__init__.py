"""What becomes of a record: its walk from the raw file to the tokens that the loss sees, to look at."""
