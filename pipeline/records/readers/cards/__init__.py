"""Character cards and lorebooks, in all that carries them."""
