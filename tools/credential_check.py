from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import health


class CredentialCheckTool(Tool):
    takes = health.Checkup
    gives = health.Checks

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            checkup = bridge.parse(self.takes, tool_parameters)
            checks = health.check(checkup, bridge.Workspace(self))
            yield from bridge.reply(self, checks)
