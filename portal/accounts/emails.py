"""E-mail addresses: one parser for form, API and command."""

from email_validator import EmailNotValidError, validate_email

from portal.accounts.errors import BadEmail


def parse_email(text: str) -> str:
    """The address in its one spelling: normalised and in lower case. Raises BadEmail.

    A domain that only a local network knows is let through; whether anybody reads the mail is not asked.
    """
    try:
        parsed = validate_email(text.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise BadEmail(email=text[:100]) from error
    return parsed.normalized.lower()
