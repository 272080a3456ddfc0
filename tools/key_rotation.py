from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import rotation


class KeyRotationTool(Tool):
    takes = rotation.Order
    gives = rotation.Rotations

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            order = bridge.parse(self.takes, tool_parameters)
            rotations = rotation.rotate(order, by_model=bridge.Workspace(self).by_model)
            yield from bridge.reply(self, rotations)
