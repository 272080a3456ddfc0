from collections.abc import Generator
from functools import partial
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import broadcast


class AppBroadcastTool(Tool):
    takes = broadcast.Inquiry
    gives = broadcast.Answers

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            inquiry = bridge.parse(self.takes, tool_parameters)
            progress = broadcast.Progress(inquiry.locale(inquiry.query))
            ask = partial(broadcast.ask, inquiry, bridge.Workspace(self), progress)
            answers = yield from bridge.telling(self, progress.untold, ask)
            yield from bridge.reply(self, answers)
