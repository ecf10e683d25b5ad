"""The pages of authorized persons and their powers of attorney."""

from portal.authority import deciding_pages, people_pages, power_pages
from portal.authority.blueprint import bp, know_products

__all__ = ["bp", "deciding_pages", "know_products", "people_pages", "power_pages"]
