"""Usage records: how they are read, what is wrong with them, and what becomes of one that comes again."""
