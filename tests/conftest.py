import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from devtools.plugin_process import PluginProcess

# On CI the examples are always the same: a red build is the change's fault, not the dice's.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def plugin() -> Iterator[PluginProcess]:
    """The plugin as Dify runs it, one process for all tests that only call it."""
    with PluginProcess(ROOT) as running:
        yield running
