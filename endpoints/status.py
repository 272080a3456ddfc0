from collections.abc import Mapping
from functools import partial
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

import bridge
from opskit import webhook


class StatusEndpoint(Endpoint):
    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        status = partial(webhook.status, storage=bridge.Storage(self), version=bridge.version())
        return bridge.answer(self, r, settings, status)
