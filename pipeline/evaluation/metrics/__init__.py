"""Scores and replies to figures with intervals."""
