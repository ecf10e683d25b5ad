"""Whom a customer lets receive files: authorized persons and their powers of attorney."""
