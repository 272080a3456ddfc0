from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import jsonfix


class JsonRegenerateTool(Tool):
    takes = jsonfix.Request
    gives = jsonfix.Regenerated

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            request = bridge.parse(self.takes, tool_parameters)
            answer = jsonfix.regenerate(request, bridge.LanguageModel(self), heavy=bridge.off_loop)
            yield from bridge.reply(self, answer.repaired, answer.attachments)
