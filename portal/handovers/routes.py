"""All pages of hand-overs, met."""

from portal.handovers import act_pages, opening_pages, signing_pages
from portal.handovers.blueprint import bp

__all__ = ["act_pages", "bp", "opening_pages", "signing_pages"]
