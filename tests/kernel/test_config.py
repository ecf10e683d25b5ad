import stat
from datetime import timedelta
from pathlib import Path

import pytest

from portal.config import ConfigError, Downloads, from_environment

PRODUCTION = {
    "PORTAL_PRODUCTION": "yes",
    "PORTAL_SECRET_KEY": "a secret of sixteen",
    "PORTAL_DATABASE": "postgresql://portal@db/portal",
    "PORTAL_STORE": "s3://bucket/portal?endpoint=https://s3.example",
    "PORTAL_KEY_PASSPHRASE": "a passphrase that is long",
    "PORTAL_MAIL": "smtps://portal:secret@mail.example:465",
    "PORTAL_BASE_URL": "https://portal.example/",
}


def problems(environ):
    with pytest.raises(ConfigError) as caught:
        from_environment(environ)
    return dict(caught.value.problems)


def test_an_embedded_portal_needs_nothing(tmp_path):
    config = from_environment({"PORTAL_DATA": str(tmp_path)})
    assert config.database == f"sqlite:///{tmp_path}/portal.sqlite"
    assert config.store == f"file://{tmp_path}/objects"
    assert config.worker_in_process
    assert not config.is_https
    assert not config.demo


def test_its_secrets_are_made_once_and_kept_from_others(tmp_path):
    first = from_environment({"PORTAL_DATA": str(tmp_path)})
    again = from_environment({"PORTAL_DATA": str(tmp_path)})
    assert first.secret_key == again.secret_key
    assert first.secret_key != first.key_passphrase
    assert len(first.secret_key) >= 32
    for name in ("secret-key", "key-passphrase"):
        assert stat.S_IMODE((tmp_path / "secrets" / name).stat().st_mode) == 0o600


def test_production_is_read_whole(tmp_path):
    config = from_environment({**PRODUCTION, "PORTAL_DATA": str(tmp_path)})
    assert config.is_https
    assert config.base_url == "https://portal.example"
    assert not config.worker_in_process
    assert list(tmp_path.iterdir()) == []  # no secret is made up


def test_production_names_everything_that_is_missing_at_once(tmp_path):
    found = problems({"PORTAL_PRODUCTION": "yes", "PORTAL_DATA": str(tmp_path)})
    assert set(found) == set(PRODUCTION) - {"PORTAL_PRODUCTION"}
    assert set(found.values()) == {"is required in production"}
    assert list(tmp_path.iterdir()) == []


MALFORMED = {
    "PORTAL_PRODUCTION": "maybe",
    "PORTAL_SECRET_KEY": "short",
    "PORTAL_KEY_PASSPHRASE": "short",
    "PORTAL_DATABASE": "mysql://x/y",
    "PORTAL_STORE": "ftp://x",
    "PORTAL_MAIL": "http://x",
    "PORTAL_MAIL_FROM": "nobody",
    "PORTAL_TEXTING": "smtp://x",
    "PORTAL_BASE_URL": "portal.example",
    "PORTAL_TIME_ZONE": "Mars/Base",
    "PORTAL_LANGUAGE": "fr",
    "PORTAL_DOWNLOADS": "pigeon",
    "PORTAL_ACCEL_PREFIX": "objects",
    "PORTAL_MAX_ARTIFACT_BYTES": "-1",
    "PORTAL_MAX_DOWNLOADS": "0",
    "PORTAL_MAX_ATTACHMENT_BYTES": "1e6",
    "PORTAL_SECOND_PERSON_APPROVES": "2",
    "PORTAL_NOTES_LANGUAGES": "en,fr",
    "PORTAL_PRESIGNED_SECONDS": "301",
    "PORTAL_SESSION_HOURS": "twelve",
    "PORTAL_WORKER_IN_PROCESS": "perhaps",
    "PORTAL_BEHIND_PROXIES": "-1",
    "PORTAL_DEMO": "oui",
}


def test_every_malformed_variable_is_named_at_once(tmp_path):
    found = problems({**MALFORMED, "PORTAL_DATA": str(tmp_path), "PORTAL_TYPO": "x"})
    assert set(found) >= {*MALFORMED, "PORTAL_TYPO"}
    assert found["PORTAL_TYPO"] == "is not a setting of the portal"


@pytest.mark.parametrize("variable", MALFORMED)
def test_each_malformed_variable_is_named_alone(tmp_path, variable):
    assert set(problems({variable: MALFORMED[variable], "PORTAL_DATA": str(tmp_path)})) == {variable}


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PORTAL_MAIL_FROM", "a@b.example\r\nBcc: x@y.example"),
        ("PORTAL_MAIL_FROM", "a@b.example\0"),
        ("PORTAL_SUPPORT_ADDRESS", "nobody"),
        ("PORTAL_BASE_URL", "https://portal.example/?x"),
        ("PORTAL_BASE_URL", "javascript:alert(1)"),
        ("PORTAL_TEXTING", "http://gateway.example/"),
        ("PORTAL_MAX_DOWNLOADS", "٣"),
        ("PORTAL_MAX_DOWNLOADS", "²"),
        ("PORTAL_TIME_ZONE", "../../etc/passwd"),
        ("PORTAL_MAIL_FROM", "@"),
        ("PORTAL_MAIL_FROM", "two words@b.example"),
        ("PORTAL_STORE", "s3://"),
        ("PORTAL_STORE", "s3://user:secret@bucket"),
        ("PORTAL_STORE", "s3://bucket?endpoint=ftp://x"),
        ("PORTAL_STORE", "s3://bucket?reigon=eu-1"),
        ("PORTAL_STORE", "file://relative/path"),
        ("PORTAL_DATABASE", "postgresql://portal@db:port/portal"),
        ("PORTAL_DATABASE", "postgresql://[bad/portal"),
        ("PORTAL_DATABASE", "sqlite://"),
        ("PORTAL_MAIL", "smtp://"),
        ("PORTAL_MAIL", "smtp://mail.example:99999"),
        ("PORTAL_MAIL", "folder:relative"),
        ("PORTAL_TEXTING", "https://gateway.example:port"),
        ("PORTAL_TEXTING", "folder:"),
        ("PORTAL_BASE_URL", "https://portal.example:port"),
        ("PORTAL_LINK_DAYS", "99999999999"),
        ("PORTAL_SESSION_HOURS", "9" * 30),
        ("PORTAL_UNNAMED_OBJECTS_DAYS", "1"),
    ],
)
def test_what_only_looks_right_is_refused(tmp_path, variable, text):
    assert set(problems({variable: text, "PORTAL_DATA": str(tmp_path)})) == {variable}


def test_what_is_wrong_with_an_address_is_told_without_its_password(tmp_path):
    for variable, address in (
        ("PORTAL_DATABASE", "postgresql://p:xyz@db:zy/n"),
        ("PORTAL_MAIL", "smtp://p:xyz/zy@host"),
    ):
        [told] = problems({variable: address, "PORTAL_DATA": str(tmp_path)}).values()
        assert "xyz" not in told


def test_an_empty_variable_is_one_that_is_not_set(tmp_path):
    config = from_environment({"PORTAL_DATA": str(tmp_path), "PORTAL_LANGUAGE": " ", "PORTAL_MAX_DOWNLOADS": ""})
    assert (config.default_language, config.max_downloads) == ("en", 96)


def test_settings_are_read_as_they_are_meant(tmp_path):
    config = from_environment(
        {
            "PORTAL_DATA": str(tmp_path),
            "PORTAL_DOWNLOADS": "accel",
            "PORTAL_PRESIGNED_SECONDS": "60",
            "PORTAL_SESSION_HOURS": "8",
            "PORTAL_NOTES_LANGUAGES": "ru, en",
            "PORTAL_SECOND_PERSON_APPROVES": "No",
            "PORTAL_BEHIND_PROXIES": "2",
            "PORTAL_TIME_ZONE": "Europe/Moscow",
        }
    )
    assert config.downloads is Downloads.ACCEL
    assert (config.presigned_for, config.session_for) == (timedelta(minutes=1), timedelta(hours=8))
    assert config.notes_languages == ("ru", "en")
    assert not config.second_person_approves
    assert config.behind_proxies == 2


def test_no_secret_stands_in_the_sentence(tmp_path):
    with pytest.raises(ConfigError) as caught:
        from_environment({"PORTAL_DATA": str(tmp_path), "PORTAL_SECRET_KEY": "tooshort123"})
    assert "tooshort123" not in str(caught.value)


def test_a_relative_folder_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = from_environment({"PORTAL_DATA": "here"})
    assert config.data == Path(tmp_path / "here")
    assert config.database == f"sqlite:///{tmp_path}/here/portal.sqlite"
