"""The menu: areas, and in each what an actor may open, in one fixed order."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from portal.errors import NotFound
from portal.permissions import Permission
from portal.web.guard import actor


@dataclass(frozen=True)
class Entry:
    """A page that opens a part of the portal; `rooms` are the blueprints besides its own whose pages belong to it."""

    endpoint: str
    label: str
    permission: Permission
    rooms: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return url_for(self.endpoint)

    @property
    def nearness(self) -> int:
        """How near the page of this request is: 0 for another part of the portal, more for a longer common address."""
        if request.endpoint == self.endpoint:
            return 1 + len(request.path)
        if self.address != "/" and request.path.startswith(self.address.rstrip("/") + "/"):
            return len(self.address)
        if request.blueprint == self.endpoint.partition(".")[0]:
            return 2
        return int(request.blueprint in self.rooms)


@dataclass(frozen=True)
class Area:
    """Entries that belong together: one word in the menu, and a line below it when the reader has several of them."""

    label: str
    entries: tuple[Entry, ...]

    @property
    def address(self) -> str:
        return self.entries[0].address

    @property
    def title(self) -> str:
        """A single entry speaks for itself."""
        return self.label if len(self.entries) > 1 else self.entries[0].label


@dataclass(frozen=True)
class Menu:
    """The menu as one reader sees it on one page."""

    areas: tuple[Area, ...]
    here: Entry | None

    @property
    def area(self) -> Area | None:
        return next((area for area in self.areas if self.here in area.entries), None)


def install_menu(app: Flask, areas: tuple[Area, ...]) -> None:
    def menu() -> Menu:
        mine = [Area(area.label, tuple(e for e in area.entries if _is_open(app, e))) for area in areas]
        shown = tuple(area for area in mine if area.entries)
        near = [entry for area in shown for entry in area.entries if entry.nearness]
        return Menu(shown, max(near, key=lambda entry: entry.nearness, default=None))

    app.extensions["portal menu"] = menu
    app.jinja_env.globals.update(menu=menu, actor=actor, Permission=Permission)
    app.jinja_env.tests["endpoint"] = lambda name: name in app.view_functions


def _is_open(app: Flask, entry: Entry) -> bool:
    return actor().may(entry.permission) and entry.endpoint in app.view_functions


def first_address() -> str:
    """Where the actor begins: the first page of their menu."""
    menu: Menu = current_app.extensions["portal menu"]()
    if not menu.areas:
        raise NotFound
    return menu.areas[0].address
