"""A record's walk from the raw file to the tokens that the loss sees, shown in the terminal or as a page."""
