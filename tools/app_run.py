from collections.abc import Generator
from functools import partial
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import app_run


class AppRunTool(Tool):
    takes = app_run.Job
    gives = app_run.Completion

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            job = bridge.parse(self.takes, tool_parameters)
            speech = app_run.Speech()
            run = partial(app_run.run, job, bridge.Workspace(self), speech)
            completion = yield from bridge.telling(self, speech.untold, run, variable="answer", aloud=True)
            yield from bridge.reply(self, completion, told="answer" if speech.said else "")
