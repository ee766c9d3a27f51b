"""Raw files to records, classified by kind, each one kept or rejected with a reason."""
