from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import jsonfix


class JsonRepairTool(Tool):
    takes = jsonfix.Text
    gives = jsonfix.Repaired

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            text = bridge.parse(self.takes, tool_parameters)
            answer = bridge.off_loop(jsonfix.repair, text)
            yield from bridge.reply(self, answer.repaired, answer.attachments)
