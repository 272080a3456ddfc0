from typing import Any

from dify_plugin import ToolProvider


class OpskitProvider(ToolProvider):
    """Has no credentials: Dify would refuse every tool until somebody saved one, and secrets are parameters here."""

    def _validate_credentials(self, credentials: dict[str, Any]) -> None:
        """Nothing to check."""
