"""What can go wrong while a paper is made."""

from portal.errors import InvalidInput, PortalError, mark


class PictureUnusable(InvalidInput):
    """`reason` is why: not an SVG of plain strokes, not a PNG, or too large."""

    code = "picture-unusable"
    sentence = mark("The picture can't be printed: it has to be a PNG or a plain SVG drawing of a modest size.")

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class SignatureUnusable(InvalidInput):
    """`reason` says what is wrong with the picture, for a log."""

    code = "signature-unusable"
    sentence = mark("The signature did not arrive as a drawing. Draw it again.")


class SignatureEmpty(InvalidInput):
    code = "signature-empty"
    sentence = mark("Nothing was drawn. Draw the signature, or type the name instead.")


class PaperFailed(PortalError):
    """A template and its facts don't fit together: a defect of ours, never of the text in it."""

    code = "paper-failed"
    sentence = mark("The document %(template)s could not be made: %(reason)s")

    def __init__(self, template: str, reason: str) -> None:
        super().__init__(template=template, reason=reason)
