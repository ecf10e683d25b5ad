"""What stands in the way of tidying up, and what nobody may overlook."""

from portal.errors import WrongState, mark


class ObjectsMissing(WrongState):
    code = "objects-missing"
    sentence = mark(
        "Objects that the portal names are not in the store: %(count)s, among them %(examples)s. Restore them."
    )


class StoreIsAnothers(WrongState):
    """The database is older than the store, as after a restore, or the store belongs to another portal."""

    code = "store-is-anothers"
    sentence = mark("The store's checkpoint %(checkpoint)s is none of this database's record. Nothing was removed.")


class TooManyUnnamed(WrongState):
    code = "too-many-unnamed-objects"
    sentence = mark(
        "%(unnamed)s of %(count)s objects are named nowhere. So many look like a mistake: none was removed."
    )
