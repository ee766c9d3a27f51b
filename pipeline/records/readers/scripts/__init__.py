"""Who says what: scripts, screenplays, subtitles, games' scripts, prose fiction."""
