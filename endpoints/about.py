from collections.abc import Mapping
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

import bridge
from opskit import service


class AboutEndpoint(Endpoint):
    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        return bridge.answer(self, r, settings, lambda *_: service.about(bridge.version()))
