"""A run folder: every file's name, who may write it, checkpoints, identity, and the read-back after a save."""
