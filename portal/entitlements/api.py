from flask import Blueprint

bp = Blueprint("entitlements_api", __name__, url_prefix="/api/v1")
