import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from dify_plugin import Endpoint
from werkzeug import Request, Response

import bridge
from opskit import webhook


class DifyWebhookEndpoint(Endpoint):
    def _invoke(self, r: Request, values: Mapping[str, Any], settings: Mapping[str, Any]) -> Response:  # noqa: ARG002
        receive = partial(webhook.receive, storage=bridge.Storage(self), starter=bridge.Starter(self), now=time.time())
        return bridge.answer(self, r, settings, receive)
