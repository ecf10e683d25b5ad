"""The pages of accounts, together."""

from portal.accounts import door_pages, organisation_pages, own_pages, people_pages
from portal.accounts.blueprint import bp

__all__ = ["bp", "door_pages", "organisation_pages", "own_pages", "people_pages"]
