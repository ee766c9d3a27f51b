"""Rows of known keys: JSON, JSON lines, YAML, XML, parquet, Arrow, and maps for any other shape."""
