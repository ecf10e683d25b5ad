"""The rows' objects and the store's: what is named and not there, what is there and not named (DESIGN 5)."""
