"""The pages of entitlements: contracts, exceptions, agreements, and why."""

from portal.entitlements import agreement_pages, contract_pages, grant_pages, why_pages
from portal.entitlements.blueprint import bp

__all__ = ["agreement_pages", "bp", "contract_pages", "grant_pages", "why_pages"]
