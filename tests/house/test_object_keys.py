"""Every column that names objects of the store says so; what it does not say would be removed from under it."""

import re

import pytest
from sqlalchemy import JSON, select

from portal.demo.build import build
from portal.models import metadata
from portal.object_keys import HOLDS_OBJECT_KEYS, NAMES_OBJECT, ROLE, naming_columns
from portal.reconciliation import service
from storage import digest_in

OTHER_KEYS = {
    "carriers.name_key": "folded for comparing",
    "consignments.seal_key": "folded for comparing",
    "media.serial_key": "folded for comparing",
    "devices.installed_key": "orders versions",
    "releases.version_key": "orders versions",
    "releases.lowest_from_key": "orders versions",
    "deliveries.open_key": "what may be open once",
    "jobs.key": "what is queued once",
    "outgoing_mail.key": "what is sent once",
    "outgoing_texts.key": "what is sent once",
    "recall_holdings.key": "who is asked once",
    "update_checks.key": "the device of a point",
}
DIGESTS = {
    "acts.text_sha256": "of a text that stands in the row",
    "acts.signature_sha256": "stands beside its key",
    "acts.witness_sha256": "stands beside its key",
    "acts.pdf_sha256": "stands beside its key",
    "artifacts.sha256": "stands beside its key",
    "device_backups.sha256": "of the plain bytes; the sealed ones stand beside it",
    "statements.sha256": "stands beside its key",
    "ticket_files.sha256": "stands beside its key",
    "ticket_mails.sha256": "stands beside its key",
    "kits.sha256": "of an archive made anew each time; kept_key, where it is kept",
    "medium_writings.kit_sha256": "of a kit's archive",
    "medium_writings.read_back_sha256": "of what a medium held",
    "delivery_items.sha256": "of an artifact, whose row stays for ever",
    "agreement_acceptances.text_sha256": "of a text in a row",
    "one_time_codes.digest": "of a code",
}
JSON_WITHOUT_KEYS = {
    "acts.power", "acts.recipient", "acts.record", "act_items.medium_serials", "agreement_versions.texts",
    "api_tokens.scope_words", "audit_events.facts", "consignments.seen", "contacts.phones", "deliveries.decision",
    "deliveries.destination", "deliveries.recipient", "delivery_addresses.lines", "delivery_items.sent",
    "incidents.seen", "jobs.arguments", "kits.spec", "mail_links.kit_ranges", "mail_messages.ordered_by",
    "mail_messages.reports", "notes_revisions.texts", "outgoing_mail.headers", "remote_sessions.files",
    "remote_sessions.notes", "service_programmes.terms", "sites.address", "update_requests.customer_consent",
    "update_requests.support_consent",
}  # fmt: skip
"""`jobs.arguments` names objects to be removed; `remote_sessions.files` names and digests of files that never came;
`audit_events.facts` speaks of what was: none of them keeps an object."""
REMEMBERS = {"audit_events.facts", "audit_events.subject_name", "jobs.arguments"}


def columns():
    return {str(column): column for table in metadata.sorted_tables for column in table.columns}


def undeclared(matches):
    return {name for name, column in columns().items() if matches(column) and ROLE not in column.info}


def test_every_column_that_is_called_a_key_is_declared_or_another_kind_of_key():
    assert undeclared(lambda column: re.search(r"(^|_)key$|object", column.name)) == OTHER_KEYS.keys()


def test_every_digest_stands_beside_a_key_or_for_something_else():
    assert undeclared(lambda column: re.search(r"sha256|digest", column.name)) == DIGESTS.keys()
    for name, why in DIGESTS.items():
        if why == "stands beside its key":
            assert columns()[name.replace("sha256", "key" if "statements" not in name else "object_key")].info


def test_every_json_is_declared_or_holds_no_keys():
    assert undeclared(lambda column: isinstance(column.type, JSON)) == JSON_WITHOUT_KEYS


def test_a_declaration_fits_its_column():
    assert len(naming_columns()) > 10
    for column in naming_columns():
        assert column.info == (HOLDS_OBJECT_KEYS if isinstance(column.type, JSON) else NAMES_OBJECT), str(column)


def content_keys(value):
    if isinstance(value, (list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from content_keys(inner)
    elif isinstance(value, str) and digest_in(value):
        yield value


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_demonstration_names_objects_in_declared_columns_only(portal):
    build(portal.resources)
    portal.work()
    found = set()
    with portal.sessions() as session:
        for name, column in columns().items():
            if any(key for value in session.scalars(select(column)) for key in content_keys(value)):
                found.add(name)
    assert found - REMEMBERS <= {str(column) for column in naming_columns()}
    assert {"artifacts.key", "kits.files"} <= found
    outcome = service.examine(portal.resources, at=portal.clock())
    assert (outcome.missing, outcome.unknown) == ((), ())
    assert outcome.count > outcome.unnamed
