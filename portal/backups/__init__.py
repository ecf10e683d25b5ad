"""Copies to fall back on (P11): a device's own backup before an update, and the releases that a customer received."""
