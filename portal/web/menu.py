"""The menu: what an actor may open, in one fixed order."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from portal.errors import NotFound
from portal.permissions import Permission
from portal.web.guard import actor


@dataclass(frozen=True)
class Entry:
    endpoint: str
    label: str
    permission: Permission

    @property
    def address(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_here(self) -> bool:
        return request.blueprint == self.endpoint.partition(".")[0] and (
            request.endpoint == self.endpoint or request.path.startswith(self.address.rstrip("/") + "/")
        )


def install_menu(app: Flask, entries: tuple[Entry, ...]) -> None:
    def menu() -> list[Entry]:
        return [e for e in entries if actor().may(e.permission) and e.endpoint in app.view_functions]

    def place() -> Entry | None:
        """The entry that leads nearest to this page: /releases/issues is under Issues, not under Releases."""
        return max((entry for entry in menu() if entry.is_here), key=lambda entry: len(entry.address), default=None)

    app.extensions["portal menu"] = menu
    app.jinja_env.globals.update(menu=menu, menu_place=place, actor=actor, Permission=Permission)
    app.jinja_env.tests["endpoint"] = lambda name: name in app.view_functions


def first_address() -> str:
    """Where the actor begins: the first page of their menu."""
    entries: list[Entry] = current_app.extensions["portal menu"]()
    if not entries:
        raise NotFound
    return entries[0].address
