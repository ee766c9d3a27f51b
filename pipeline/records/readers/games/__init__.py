"""The files that programs for games keep their dialogue in: Ink, articy:draft, RPG Maker."""
