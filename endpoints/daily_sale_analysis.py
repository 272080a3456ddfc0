from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

import bridge
from opskit import sales, service


class DailySaleAnalysisEndpoint(Endpoint):
    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        def analysis(call: service.Request, known: service.Settings) -> service.Answer:
            known.check_token(call)
            call.whole_body()
            fields, file = bridge.posted(r)
            posted = bridge.parse(sales.Posted, fields)
            return service.result(bridge.off_loop(sales.analyze_posted, posted, file))

        return bridge.answer(self, r, settings, analysis)
