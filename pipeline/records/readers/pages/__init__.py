"""Pages about the character: prose, profiles, wikis, notes, questions and answers."""
