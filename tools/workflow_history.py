from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import versions


class WorkflowHistoryTool(Tool):
    takes = versions.Query
    gives = versions.History

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            query = bridge.parse(self.takes, tool_parameters)
            by_model = bridge.Workspace(self).by_model
            history = versions.look(query, bridge.Storage(self), by_model=by_model, apart=bridge.off_loop)
            yield from bridge.reply(self, history)
