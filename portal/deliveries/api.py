from flask import Blueprint

bp = Blueprint("deliveries_api", __name__, url_prefix="/api/v1")
