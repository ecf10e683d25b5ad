from flask import Blueprint

bp = Blueprint("tickets_api", __name__, url_prefix="/api/v1")
