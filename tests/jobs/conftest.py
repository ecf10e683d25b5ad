"""Handlers of these tests' own, gone when each test ends."""

import pytest

from portal.jobs import service


@pytest.fixture
def handle(monkeypatch):
    """handle("name", function): registers a handler for this test."""
    monkeypatch.setattr(service, "HANDLERS", dict(service.HANDLERS))
    monkeypatch.setattr("portal.jobs.worker.HANDLERS", service.HANDLERS)
    monkeypatch.setattr(service, "RECURRING", {})
    return lambda name, function, every=None: service.handles(name, every=every)(function)
