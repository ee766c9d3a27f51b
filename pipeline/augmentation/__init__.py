"""What a settings record becomes before it is trained on: many wordings, boundaries, identity."""
