"""What the calls of the console do.

Sources: Dify 1.13.3, controllers/console/app/{app,workflow,app_import}.py, controllers/console/apikey.py,
controllers/console/workspace/plugin.py, services/workflow_service.py, services/app_dsl_service.py.
"""

import uuid
from collections.abc import Callable
from typing import Any

import yaml

from devtools.dify_server.apps import App
from devtools.dify_server.console_asked import FORBIDDEN, MAX_PAGE, Asked, draft_of
from devtools.dify_server.console_login import ADMINS, EDITORS, Doorkeeper, Odd, numbers
from devtools.dify_server.console_versions import Versions
from devtools.dify_server.flows import MAX_KEYS, OWNER, ApiKey, Flow, plain
from devtools.dify_server.refusals import BROKEN, invalid

NO_DAEMON = "Failed to request plugin daemon, url: plugin/{}/management/{}"
_READ_BY_ALL = frozenset({"apps", "app", "keys", "workspaces", "plugins"})


class Routes(Versions):
    """The calls, by their names, on the apps of one workspace.

    ``daemon`` says whether the plugin daemon answers, ``versions_fail`` lets the list of versions answer 500,
    ``plugins`` are the identifiers of what is installed (``langgenius/openai:1.0.0@…``), ``leaked`` what the last
    import of an app lacked.
    """

    def __init__(self, tokens: dict[str, App], door: Doorkeeper) -> None:
        super().__init__()
        self.daemon = True
        self.plugins: list[str] = []
        self._tokens = tokens
        self._door = door
        self.leaked: dict[str, list[Any]] = {}

    def has(self, name: str) -> bool:
        """Whether this version of Dify has the call."""
        return name != "restore" or (1, 13) <= numbers(self._door.version) < (2,)

    def call(self, name: str, asked: Asked) -> Any:
        """Do it and give the body of the answer. Refusal: what Dify refuses."""
        done: Callable[[Asked], Any] = getattr(self, f"_{name}")
        if name not in _READ_BY_ALL and asked.role not in EDITORS and name != "delete_key":
            raise FORBIDDEN
        try:
            return done(asked)
        except ValueError as error:
            raise invalid(str(error)) from None

    @property
    def dsl_version(self) -> str:
        """The version of what is exported."""
        if not (1, 10) <= numbers(self._door.version) < (2,):
            return "0.4.0"
        return "0.6.0" if numbers(self._door.version) >= (1, 13) else "0.5.0"

    # Apps

    def _workspaces(self, _: Asked) -> Any:
        workspace = {"id": self._door.workspace_id, "name": "Workspace", "plan": "sandbox", "status": "normal"}
        return {"workspaces": [workspace | {"created_at": 1, "current": True}]}

    def _apps(self, asked: Asked) -> Any:
        mode, name = asked.word("mode", "all"), asked.word("name").lower()
        found = [app for app in self.apps.values() if mode in {"all", app.mode} and name in app.name.lower()]
        rows, more = asked.page(found, "apps")
        page = {"page": asked.number("page", 1, 99_999), "limit": asked.number("limit", 20, MAX_PAGE)}
        return page | {"total": len(found), "has_more": more, "data": [self._listed(app) for app in rows]}

    def _listed(self, app: App) -> dict[str, Any]:
        current = app.serving
        workflow = {"id": current.id, "created_by": OWNER["id"], "created_at": current.created_at} if current else None
        told: dict[str, Any] = {
            "id": app.id,
            "name": app.name,
            "description": app.description,
            "mode": app.mode,
            "icon_type": "emoji",
        }
        told |= {"icon": "🤖", "icon_background": "#FFEAD5", "use_icon_as_answer_icon": False, "workflow": workflow}
        told |= {"max_active_requests": app.max_active, "tags": [], "author_name": OWNER["name"]}
        return told | {"created_at": 1, "updated_at": current.created_at if current else 1}

    def _app(self, asked: Asked) -> Any:
        app = self._of(asked, any_mode=True)
        return self._listed(app) | {"enable_api": app.enabled, "enable_site": True, "site": {}, "api_base_url": "/v1"}

    def _api_enable(self, asked: Asked) -> Any:
        app = self._of(asked, any_mode=True)
        app.enabled = bool(asked.body.get("enable_api"))
        return self._app(asked)

    # DSL

    def _export(self, asked: Asked) -> Any:
        app, wanted = self._of(asked), asked.word("workflow_id")
        draft = draft_of(app)
        if wanted == draft.id:
            raise BROKEN
        flow = next((one for one in app.versions if one.id == wanted), None) if wanted else draft
        if flow is None:
            raise ValueError("Missing draft workflow configuration, please check.")
        self._needs_daemon("installation/fetch/batch")
        head: dict[str, Any] = {
            "name": app.name,
            "mode": app.mode,
            "icon": "🤖",
            "icon_type": "emoji",
            "icon_background": "#FFEAD5",
        }
        head |= {"description": app.description, "use_icon_as_answer_icon": False}
        needed = [one for one in self.plugins if one.partition(":")[0] in flow.plugins]
        value = [{"marketplace_plugin_unique_identifier": one, "version": None} for one in needed]
        dsl = {
            "version": self.dsl_version,
            "kind": "app",
            "app": head,
            "dependencies": [{"type": "marketplace", "value": one, "current_identifier": None} for one in value],
            "workflow": flow.exported(include_secret=asked.word("include_secret") == "true"),
        }
        return {"data": yaml.dump(dsl, Dumper=yaml.CSafeDumper, allow_unicode=True)}

    def _needs_daemon(self, path: str) -> None:
        if not self.daemon:
            raise ValueError(NO_DAEMON.format(self._door.workspace_id, path))

    def _import(self, asked: Asked) -> Any:
        """Overwrite a draft, or make an app; of newer and broken DSL only that they fail."""
        body = asked.body
        told: dict[str, Any] = {"id": str(uuid.uuid4()), "current_dsl_version": self.dsl_version, "error": ""}
        dsl = yaml.safe_load(str(body.get("yaml_content", "")))
        if not isinstance(dsl, dict) or not isinstance(dsl.get("version"), str):
            failed = f"Invalid version type, expected str, got {type(dsl)}"
            raise Odd(400, told | {"status": "failed", "app_id": None, "error": failed})
        head, flow = dsl["app"], dsl["workflow"]
        app = self.apps.get(str(body.get("app_id", "")))
        if app is None:
            app = App(str(body.get("name") or head["name"]), head["mode"], published=False, draft=Flow())
            app.api_keys.clear()
            self.apps[app.id] = app
        app.name, app.description = str(body.get("name") or head["name"]), str(head.get("description", ""))
        draft = draft_of(app)
        draft.take(flow["graph"], flow["features"], app.mode)
        draft.keep(flow.get("environment_variables", []))
        draft.conversation = [plain(one) for one in flow.get("conversation_variables", [])]
        self.leaked[app.id] = [one for one in dsl.get("dependencies", []) if _identifier(one) not in self.plugins]
        same = dsl["version"] == self.dsl_version
        told |= {"app_id": app.id, "app_mode": app.mode, "imported_dsl_version": dsl["version"]}
        return told | {"status": "completed" if same else "completed-with-warnings"}

    def _check_dependencies(self, asked: Asked) -> Any:
        """What the last import of this app lacks; nothing is known of an app that was not imported."""
        self._of(asked, any_mode=True)
        leaked = self.leaked.get(asked.parts[0], [])
        if leaked:
            self._needs_daemon("installation/missing")
        return {"leaked_dependencies": leaked}

    def _plugins(self, asked: Asked) -> Any:
        self._needs_daemon("list")
        size = asked.number("page_size", 256, 256)
        first = (asked.number("page", 1, 99_999) - 1) * size
        rows = [
            {"plugin_id": one.partition(":")[0], "plugin_unique_identifier": one, "version": _version_of(one)}
            for one in self.plugins[first : first + size]
        ]
        return {"plugins": rows, "total": len(self.plugins)}

    # Keys

    def _key_owner(self, asked: Asked) -> App:
        app = self.apps.get(asked.parts[0])
        if app is None:
            raise Odd(404, {"message": "App not found."})
        return app

    def _keys(self, asked: Asked) -> Any:
        return {"data": [key.shown for key in self._key_owner(asked).api_keys]}

    def _create_key(self, asked: Asked) -> Any:
        app = self._key_owner(asked)
        if len(app.api_keys) >= MAX_KEYS:
            text = f"Cannot create more than {MAX_KEYS} API keys for this resource type."
            raise Odd(400, {"custom": "max_keys_exceeded", "message": text})
        key = ApiKey(f"app-fake{uuid.uuid4().hex[:20]}")
        app.api_keys.append(key)
        self._tokens[key.token] = app
        return key.shown

    def _delete_key(self, asked: Asked) -> None:
        app = self._key_owner(asked)
        if asked.role not in ADMINS:
            raise FORBIDDEN
        key = next((one for one in app.api_keys if one.id == asked.parts[1]), None)
        if key is None:
            raise Odd(404, {"message": "API key not found"})
        app.api_keys.remove(key)
        self._tokens.pop(key.token, None)


def _identifier(dependency: dict[str, Any]) -> str:
    value = dependency.get("value", {})
    return str(next((text for name, text in value.items() if name.endswith("plugin_unique_identifier")), ""))


def _version_of(identifier: str) -> str:
    return identifier.partition(":")[2].partition("@")[0]
