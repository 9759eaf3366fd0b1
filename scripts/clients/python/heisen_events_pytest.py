"""A pytest plugin that tells heisen when each test's setup, call and teardown begin and end.

    PYTHONPATH=<this folder> python3 -m pytest -p heisen_events_pytest ...

The events are setup, call and teardown with the test's id, and setup_end, call_end and teardown_end with the
id and "ok" or the name of the exception. Without HEISEN_EVENTS nothing happens.
"""

import pytest

from heisen_events import mark


def _around(phase, item):
    mark(phase, item.nodeid)
    outcome = yield
    raised = outcome.excinfo
    mark(phase + "_end", item.nodeid, raised[0].__name__ if raised else "ok")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    yield from _around("setup", item)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    yield from _around("call", item)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    yield from _around("teardown", item)
