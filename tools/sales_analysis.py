from collections.abc import Generator
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
            with sales.source(brief) as table:
                analysis = bridge.off_loop(sales.analyze, table, language=brief.language)
            yield from bridge.reply(self, analysis)
