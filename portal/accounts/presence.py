from portal.actors import NOBODY, Actor
from flask import Flask


def load_actor() -> Actor:
    return NOBODY


def install(app: Flask) -> None:
    pass
