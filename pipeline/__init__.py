"""Understudy: raw files of a character in, a chat model that has its voice and knows its settings out."""

__version__ = "0.1.0"
