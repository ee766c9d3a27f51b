"""The base model: found offline where it can be, loaded once."""
