from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import dingtalk


class DingtalkPushTool(Tool):
    takes = dingtalk.Message
    gives = dingtalk.Receipt

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            message = bridge.parse(self.takes, tool_parameters)
            parts = bridge.off_loop(dingtalk.bodies, message)
            receipt = dingtalk.push(message, parts)
            yield from bridge.reply(self, receipt)
