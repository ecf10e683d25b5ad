"""The portal for a WSGI server: `granian --interface wsgi wsgi:app` (docs/production.md says with which options)."""

from portal.app import create_app

app = create_app()
