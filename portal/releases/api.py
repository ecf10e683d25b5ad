from flask import Blueprint

bp = Blueprint("releases_api", __name__, url_prefix="/api/v1")
