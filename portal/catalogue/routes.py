from flask import Blueprint

bp = Blueprint("catalogue", __name__, template_folder="templates", static_folder="static", static_url_path="/static/catalogue")
