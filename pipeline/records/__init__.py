"""What a raw file says: records, told apart by kind, each one kept or rejected with a reason."""
