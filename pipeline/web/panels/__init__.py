"""What the studio's page is made of."""
