"""Chats as programs export them, and games that are played in one."""
