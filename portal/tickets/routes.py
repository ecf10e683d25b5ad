from flask import Blueprint

bp = Blueprint(
    "tickets", __name__, template_folder="templates", static_folder="static", static_url_path="/static/tickets"
)
