"""The blueprint of the pages that change the installed base; what reads it stands above, with the plans."""

from flask import Blueprint

bp = Blueprint("inventory", __name__, template_folder="templates")
