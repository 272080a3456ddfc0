from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import rollback


class WorkflowRollbackTool(Tool):
    takes = rollback.Order
    gives = rollback.Rollback

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            order = bridge.parse(self.takes, tool_parameters)
            by_model = bridge.Workspace(self).by_model
            outcome = rollback.roll_back(order, bridge.Storage(self), by_model=by_model, apart=bridge.off_loop)
            yield from bridge.reply(self, outcome)
