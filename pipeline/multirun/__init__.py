"""One model each for many characters: who they are, how they are trained in turn, what they know of each other."""
