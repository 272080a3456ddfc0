from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.plugin_process import PluginProcess

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def plugin() -> Iterator[PluginProcess]:
    """The plugin as Dify runs it, one process for all tests that only call it."""
    with PluginProcess(ROOT) as running:
        yield running
