"""A folder to begin with: a character's raw files, probes and recipe, all to be replaced by the user's own."""
