from collections.abc import Generator
from functools import partial
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

import bridge
from opskit import sales


class SalesAnalysisTool(Tool):
    takes = sales.Brief
    gives = sales.Analysis

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        with bridge.boundary(self, tool_parameters):
            brief = bridge.parse(self.takes, tool_parameters)
            progress = sales.Progress(brief.locale(brief.csv_text))
            with sales.source(brief, progress) as fetch:
                table = yield from bridge.telling(self, progress.untold, fetch)
                examine = partial(bridge.off_loop, sales.examine, table, brief, progress=progress)
                files = yield from bridge.telling(self, progress.untold, examine)
            yield from bridge.reply(self, files.analysis, files.attachments())
