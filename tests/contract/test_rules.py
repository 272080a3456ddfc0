"""Every rule of `devtools.rules` can fail: a tiny sound plugin, and changes that break one rule each."""

import copy
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from devtools.rules import RULES, Problem, broken_rules

MANIFEST, PROVIDER, TOOL = "manifest.yaml", "provider/tiny.yaml", "tools/echo.yaml"
GROUP, ENDPOINT, CORE = "group/tiny.yaml", "endpoints/status.yaml", "opskit/word.py"


def words(text: str) -> dict[str, str]:
    return dict.fromkeys(("en_US", "zh_Hans", "ja_JP", "pt_BR"), text)


def parameter(name: str, kind: str, description: str = "What it says.", **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "form": "form",
        "label": words(name),
        "human_description": words(description),
        **more,
    }


def setting(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "label": words(name), **more}


def choice(value: str) -> dict[str, Any]:
    return {"value": value, "label": words(value.title())}


def output(kind: str | list[str], **more: Any) -> dict[str, Any]:
    return {"type": kind, "description": "What was found.", **more}


DOCUMENTS: dict[str, dict[str, Any]] = {
    MANIFEST: {
        "version": "0.1.0",
        "type": "plugin",
        "author": "tiny-team",
        "name": "tiny",
        "label": words("Tiny"),
        "description": words("The smallest sound plugin."),
        "icon": "icon.svg",
        "icon_dark": "icon_dark.svg",
        "resource": {
            "memory": 268435456,
            "permission": {
                "app": {"enabled": True},
                "tool": {"enabled": False},
                "model": {"enabled": True, "llm": True},
                "endpoint": {"enabled": True},
                "storage": {"enabled": True, "size": 1048576},
            },
        },
        "plugins": {"tools": [PROVIDER], "endpoints": [GROUP]},
        "meta": {
            "version": "0.0.1",
            "arch": ["amd64", "arm64"],
            "runner": {"language": "python", "version": "3.12", "entrypoint": "main"},
            "minimum_dify_version": "1.9.0",
        },
        "tags": ["utilities", "agent"],
        "created_at": "2026-01-31T09:00:00+08:00",
        "privacy": "PRIVACY.md",
        "repo": "https://github.com/tiny-team/tiny",
        "contact": "team@tiny.example",
    },
    PROVIDER: {
        "identity": {
            "author": "tiny-team",
            "name": "tiny",
            "label": words("Tiny"),
            "description": words("One tool."),
            "icon": "icon.svg",
            "tags": ["utilities"],
        },
        "tools": [TOOL],
        "extra": {"python": {"source": "provider/tiny.py"}},
    },
    TOOL: {
        "identity": {"author": "tiny-team", "name": "echo", "label": words("Echo")},
        "description": {"human": words("Says it again."), "llm": "Says it again."},
        "parameters": [
            parameter("word", "string", form="llm", llm_description="The word.", required=True),
            parameter("times", "number", "How often. Default: 1,000.", default=1000, min=1, max=5000),
            parameter("loud", "boolean", "In capitals. Default: off.", default=False),
            parameter("tone", "select", "Default: calm.", default="calm", options=[choice("calm"), choice("glad")]),
            parameter("token", "string", default=""),
            parameter("prefix", "string", "Said before it. Empty by default."),
            parameter("source", "file", "A file. Empty by default."),
            parameter("model", "model-selector", required=True, scope="llm&vision"),
        ],
        "output_schema": {
            "type": "object",
            "properties": {
                "echo": output("string"),
                "words": output(
                    "array",
                    items={"type": "object", "properties": {"word": output("string")}},
                ),
            },
        },
        "extra": {"python": {"source": "tools/echo.py"}},
    },
    GROUP: {
        "settings": [
            {"name": "secret", "type": "secret-input", "required": True, "label": words("Secret")},
            {
                "name": "tone",
                "type": "select",
                "label": words("Tone"),
                "help": words("How it sounds."),
                "default": "calm",
                "options": [choice("calm"), choice("glad")],
            },
        ],
        "endpoints": [ENDPOINT],
    },
    ENDPOINT: {"path": "/status", "method": "GET", "extra": {"python": {"source": "endpoints/status.py"}}},
}

TEXTS = {
    "main.py": "from dify_plugin import DifyPluginEnv, Plugin\n\nplugin = Plugin(DifyPluginEnv())\n",
    "provider/tiny.py": (
        "from dify_plugin import ToolProvider\n\n\n"
        "class TinyProvider(ToolProvider):\n"
        "    def _validate_credentials(self, credentials):\n        pass\n"
    ),
    "tools/echo.py": (
        "from dify_plugin import Tool\n\nfrom bridge import ask\n\n\n"
        "class EchoTool(Tool):\n"
        "    def _invoke(self, tool_parameters):\n"
        "        yield self.create_text_message(ask(self.session, tool_parameters))\n"
    ),
    "endpoints/status.py": (
        "from dify_plugin import Endpoint\n\n\n"
        "class StatusEndpoint(Endpoint):\n    def _invoke(self, r, values, settings):\n        return r\n"
    ),
    "bridge/__init__.py": (
        "def ask(session, word):\n"
        "    session.storage.set('word', word)\n"
        "    session.app.chat.invoke(app_id='one', query=word, inputs={})\n"
        "    return session.model.llm.invoke(word)\n"
    ),
    "bridge/second.py": "from dify_plugin import Tool\n\n\nclass Second(Tool):\n    pass\n",
    CORE: "import logging\n\nlogger = logging.getLogger(__name__)\n",
    "requirements.txt": "dify-plugin==0.10.2\nrequests==2.32.4\n",
    "README.md": (
        "# Tiny\n\nSetup: install it. Usage: ask. It needs no credentials and no connection.\n"
        "Source: https://github.com/tiny-team/tiny\n"
    ),
    "readme/README_zh_Hans.md": "# 小\n",
    "PRIVACY.md": "Tiny collects nothing.\n",
    "_assets/icon.svg": "<svg/>\n",
    "_assets/icon_dark.svg": "<svg/>\n",
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugin that breaks no rule, written once."""
    root = tmp_path_factory.mktemp("original")
    for path, text in TEXTS.items():
        write(path, text)(root)
    for path, document in DOCUMENTS.items():
        write_document(path, document)(root)
    return root


@pytest.fixture
def tiny(original: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(original, tmp_path / "tiny"))


# What can be done to a tree. Places in a YAML file are dotted: parameters.0.default.

type Change = Callable[[Path], None]


def write(path: str, text: str | bytes) -> Change:
    def change(root: Path) -> None:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def write_document(path: str, document: dict[str, Any]) -> Change:
    # JSON is YAML too, and quicker to read and to write.
    return write(path, json.dumps(document, indent=1, ensure_ascii=False))


def add(path: str, text: str) -> Change:
    return lambda root: write(path, (root / path).read_text("utf-8") + text)(root)


def remove(path: str) -> Change:
    return lambda root: (root / path).unlink()


def all_of(*changes: Change) -> Change:
    def change(root: Path) -> None:
        for one in changes:
            one(root)

    return change


def edit(path: str, edited: Callable[[Any, Any], None], place: str) -> Change:
    *way, last = (int(part) if part.isdigit() else part for part in place.split("."))

    def change(root: Path) -> None:
        document = json.loads((root / path).read_text("utf-8"))
        holder = document
        for step in way:
            holder = holder[step]
        edited(holder, last)
        write_document(path, document)(root)

    return change


def put(path: str, place: str, value: Any) -> Change:
    return edit(path, lambda holder, last: holder.__setitem__(last, copy.deepcopy(value)), place)


def drop(path: str, place: str) -> Change:
    return edit(path, lambda holder, last: holder.__delitem__(last), place)


def append(path: str, place: str, value: Any) -> Change:
    return edit(path, lambda holder, last: holder[last].append(copy.deepcopy(value)), place)


def a_parameter(name: str, kind: str, description: str = "What it says.", **more: Any) -> Change:
    return append(TOOL, "parameters", parameter(name, kind, description, **more))


def a_setting(name: str, kind: str, **more: Any) -> Change:
    return append(GROUP, "settings", setting(name, kind, **more))


def an_output(name: str, schema: dict[str, Any]) -> Change:
    return put(TOOL, f"output_schema.properties.{name}", schema)


DRAWN = "q7ZtX2mB9vLc4KpR8sWdN3fHgJ6yTa1E"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")

BREAKS: list[tuple[str, Change]] = [
    # reading
    ("unreadable_yaml", write(TOOL, "identity: [\n")),
    ("unreadable_yaml", write(TOOL, "- a list\n")),
    ("unreadable_yaml", write(TOOL, "identity: {}\nidentity: {}\n")),
    ("unknown_key", put(MANIFEST, "colour", "blue")),
    ("unknown_key", put(MANIFEST, "resource.permission.network", {"enabled": True})),
    ("unknown_key", put(PROVIDER, "credentials_schema", {})),
    ("unknown_key", put(TOOL, "colour", "blue")),
    ("unknown_key", put(TOOL, "identity.icon", "icon.svg")),
    ("unknown_key", put(TOOL, "parameters.0.colour", "blue")),
    ("unknown_key", put(TOOL, "parameters.3.options.0.colour", "blue")),
    ("unknown_key", put(TOOL, "output_schema.colour", "blue")),
    ("unknown_key", put(GROUP, "settings.0.colour", "blue")),
    ("unknown_key", put(ENDPOINT, "colour", "blue")),
    ("missing_key", drop(MANIFEST, "meta.runner.entrypoint")),
    ("missing_key", drop(MANIFEST, "created_at")),
    ("missing_key", drop(PROVIDER, "identity.icon")),
    ("missing_key", drop(TOOL, "description.llm")),
    ("missing_key", drop(TOOL, "parameters.0.human_description")),
    ("missing_key", drop(GROUP, "settings.0.label")),
    ("missing_key", drop(ENDPOINT, "extra")),
    ("wrong_type", put(MANIFEST, "resource.memory", "268435456")),
    ("wrong_type", put(MANIFEST, "meta.runner.version", 3.12)),
    ("wrong_type", put(TOOL, "parameters.1.min", "1")),
    ("wrong_type", put(TOOL, "parameters.3.options.0.value", 1)),
    ("wrong_type", put(TOOL, "output_schema", [])),
    ("wrong_type", put(GROUP, "settings", {"secret": {"type": "secret-input"}})),
    ("blank_text", put(TOOL, "description.llm", " ")),
    ("unreadable_python", write(CORE, "def\n")),
    ("listed_file_exists", append(MANIFEST, "plugins.endpoints", "group/other.yaml")),
    ("listed_file_exists", append(PROVIDER, "tools", "tools/other.yaml")),
    ("listed_file_exists", append(GROUP, "endpoints", "endpoints/other.yaml")),
    ("listed_once", append(PROVIDER, "tools", TOOL)),
    ("listed_once", append(GROUP, "endpoints", ENDPOINT)),
    ("unlisted_file", write("tools/forgotten.yaml", "identity: {}\n")),
    ("source_exists", put(PROVIDER, "extra.python.source", "provider/other.py")),
    ("source_exists", put(TOOL, "extra.python.source", "other/echo.py")),
    ("source_exists", put(ENDPOINT, "extra.python.source", "endpoints/other.py")),
    # manifest
    ("version_form", put(MANIFEST, "version", "0.1")),
    ("version_form", put(MANIFEST, "version", "0.1.0-beta.1")),
    ("version_pep_440", put(MANIFEST, "version", "0.1.0-snapshot")),
    ("plugin_type", put(MANIFEST, "type", "bundle")),
    ("author_form", put(MANIFEST, "author", "Tiny")),
    ("author_form", put(MANIFEST, "author", "a" * 65)),
    ("author_uuid", put(MANIFEST, "author", "3f0b5cfb-1d7d-4a86-8f0a-0f9f6d3c2b11")),
    ("author_reserved", put(MANIFEST, "author", "my-dify-team")),
    ("author_reserved", put(MANIFEST, "author", "langgenius2")),
    ("plugin_name", put(MANIFEST, "name", "Tiny!")),
    ("memory_positive", put(MANIFEST, "resource.memory", 0)),
    ("memory_copied", put(MANIFEST, "resource.memory", 1048576)),
    ("plugin_combination", put(MANIFEST, "plugins.triggers", ["trigger/tiny.yaml"])),
    ("plugin_combination", put(MANIFEST, "plugins.models", ["models/tiny.yaml"])),
    (
        "plugin_combination",
        all_of(put(MANIFEST, "plugins", {}), drop(MANIFEST, "resource.permission.endpoint")),
    ),
    (
        "one_tool_provider",
        all_of(
            append(MANIFEST, "plugins.tools", "provider/two.yaml"),
            write_document("provider/two.yaml", DOCUMENTS[PROVIDER] | {"tools": []}),
        ),
    ),
    ("meta_version", put(MANIFEST, "meta.version", "1")),
    ("meta_arch", put(MANIFEST, "meta.arch", ["amd64"])),
    ("meta_arch", put(MANIFEST, "meta.arch", ["amd64", "arm64", "riscv64"])),
    ("runner_language", put(MANIFEST, "meta.runner.language", "go")),
    ("runner_length", put(MANIFEST, "meta.runner.version", "3" * 129)),
    ("runner_length", put(MANIFEST, "meta.runner.entrypoint", "m" * 257)),
    ("entrypoint_exists", put(MANIFEST, "meta.runner.entrypoint", "start")),
    ("minimum_dify_version", put(MANIFEST, "meta.minimum_dify_version", "one")),
    ("manifest_tags", put(MANIFEST, "tags", ["sales"])),
    ("created_at_form", put(MANIFEST, "created_at", "2026-01-31")),
    ("created_at_form", put(MANIFEST, "created_at", "2026-01-31T09:00:00")),
    ("created_at_form", put(MANIFEST, "created_at", "2026-13-31T09:00:00Z")),
    ("created_at_past", put(MANIFEST, "created_at", TOMORROW)),
    ("privacy_exists", put(MANIFEST, "privacy", "POLICY.md")),
    ("repo_host", put(MANIFEST, "repo", "https://code.tiny.example/tiny")),
    ("contact_email", put(MANIFEST, "contact", "the team")),
    ("repo_given", drop(MANIFEST, "repo")),
    ("contact_given", drop(MANIFEST, "contact")),
    ("minimum_dify_version_given", drop(MANIFEST, "meta.minimum_dify_version")),
    ("repo_in_readme", write("README.md", "Setup, usage, credentials, connection.\n")),
    # icon
    ("icon_length", put(MANIFEST, "icon", "i" * 125 + ".svg")),
    ("icon_exists", put(MANIFEST, "icon", "other.svg")),
    ("icon_exists", put(MANIFEST, "icon_dark", "other.svg")),
    ("icon_exists", put(PROVIDER, "identity.icon", "other.svg")),
    ("icon_kind", all_of(put(MANIFEST, "icon", "icon.bmp"), write("_assets/icon.bmp", "BM"))),
    ("icon_template", add("_assets/icon.svg", "<!-- DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE -->")),
    # permission
    ("storage_without_size", put(MANIFEST, "resource.permission.storage", {"enabled": True})),
    ("storage_size", put(MANIFEST, "resource.permission.storage.size", 1023)),
    ("storage_size", put(MANIFEST, "resource.permission.storage.size", 1073741825)),
    ("permission_missing", put(MANIFEST, "resource.permission.app.enabled", value=False)),
    ("permission_missing", drop(MANIFEST, "resource.permission.storage")),
    ("permission_missing", put(MANIFEST, "resource.permission.model.llm", value=False)),
    ("permission_missing", put(MANIFEST, "resource.permission.endpoint.enabled", value=False)),
    ("permission_missing", write(CORE, "def call(tool):\n    tool.session.tool.invoke_api_tool()\n")),
    ("permission_missing", write(CORE, "def rank(session):\n    session.model.rerank.invoke()\n")),
    ("permission_unused", put(MANIFEST, "resource.permission.tool.enabled", value=True)),
    ("permission_unused", put(MANIFEST, "resource.permission.node", {"enabled": True})),
    ("permission_unused", put(MANIFEST, "resource.permission.model.tts", value=True)),
    # provider
    ("provider_name", put(PROVIDER, "identity.name", "tiny plugin")),
    ("provider_tags", put(PROVIDER, "identity.tags", ["agent"])),
    ("credentials_map", put(PROVIDER, "credentials_for_provider", [])),
    ("no_credentials", put(PROVIDER, "credentials_for_provider", {"key": {"type": "secret-input"}})),
    ("no_credentials", put(PROVIDER, "oauth_schema", {"client_schema": []})),
    (
        "provider_validates",
        write("provider/tiny.py", "from dify_plugin import ToolProvider\n\n\nclass T(ToolProvider):\n    pass\n"),
    ),
    # tool
    ("tool_name", put(TOOL, "identity.name", "echo!")),
    ("one_stem", put(TOOL, "identity.name", "echoes")),
    (
        "one_stem",
        all_of(
            put(TOOL, "extra.python.source", "tools/echoes.py"),
            lambda root: write("tools/echoes.py", (root / "tools/echo.py").read_text("utf-8"))(root),
        ),
    ),
    ("deprecated_key", put(TOOL, "has_runtime_parameters", value=False)),
    ("output_schema_given", drop(TOOL, "output_schema")),
    ("output_schema_root", put(TOOL, "output_schema.type", "array")),
    *[("output_name", an_output(name, output("string"))) for name in ("text", "files", "json")],
    ("output_type", an_output("found", output("date"))),
    ("output_type", an_output("found", output(["string", "null"]))),
    ("output_type", an_output("found", output("array", items={"type": "date"}))),
    ("output_items", an_output("found", output("array"))),
    ("output_description", an_output("found", {"type": "string"})),
    ("output_description", an_output("found", output("object", properties={"word": {"type": "string"}}))),
    # parameter
    ("parameter_name", a_parameter("theWord", "string", required=True)),
    ("parameter_name", put(TOOL, "parameters.0.name", "w" * 1024)),
    ("parameter_unique", a_parameter("word", "string", required=True)),
    ("parameter_type", a_parameter("day", "date", required=True)),
    ("parameter_type", a_parameter("days", "date-range", required=True)),
    ("structured_parameter", a_parameter("schema", "object", required=True)),
    ("structured_parameter", a_parameter("links", "array", required=True)),
    ("optional_selector", a_parameter("app", "app-selector")),
    ("optional_selector", a_parameter("second_model", "model-selector")),
    ("required_file", a_parameter("sales", "file", required=True)),
    ("required_file", a_parameter("sales", "files", required=True)),
    ("parameter_form", a_parameter("day", "string", required=True, form="settings")),
    ("secret_input", a_parameter("key", "secret-input", default="")),
    ("llm_description", a_parameter("day", "string", required=True, form="llm")),
    ("auto_generate_type", a_parameter("day", "string", required=True, auto_generate={"type": "guess"})),
    ("multiple_choice", put(TOOL, "parameters.3.multiple", value=False)),
    ("inert_key", put(TOOL, "parameters.0.placeholder", words("Type a word"))),
    ("inert_key", put(TOOL, "parameters.0.show_on", [{"variable": "loud", "value": "true"}])),
    ("inert_key", put(TOOL, "parameters.0.input_schema", {"type": "object"})),
    ("parameter_scope", put(TOOL, "parameters.0.scope", "all")),
    ("parameter_scope", a_parameter("app", "app-selector", required=True, scope="advanced-chat")),
    ("parameter_scope", put(TOOL, "parameters.7.scope", "llm&all")),
    ("select_options", a_parameter("mood", "select", required=True)),
    ("select_options", a_parameter("mood", "string", required=True, options=[choice("calm")])),
    (
        "select_default",
        a_parameter("mood", "select", "Default: sad.", default="sad", options=[choice("calm")]),
    ),
    ("number_bounds", a_parameter("depth", "number", "Default: 9.", default=9, min=1, max=8)),
    ("number_bounds", a_parameter("depth", "number", required=True, min=9, max=8)),
    ("default_type", a_parameter("depth", "number", "Default: 3.", default="3")),
    ("default_type", a_parameter("day", "string", "Default: 3.", default=3)),
    ("default_type", a_parameter("loudly", "boolean", "Default: true.", default="true")),
    ("required_default", a_parameter("day", "string", "Default: today.", required=True, default="today")),
    ("optional_default", a_parameter("day", "string")),
    ("default_in_words", a_parameter("day", "string", "Which day.", default="today")),
    ("default_in_words", a_parameter("depth", "number", "From 10 to 21.5.", default=1)),
    ("default_in_words", a_parameter("depth", "number", "At most 21.5.", default=21)),
    ("default_in_words", a_parameter("softly", "boolean", "Keep it down, on any day.", default=True)),
    # endpoint
    ("endpoint_path", put(ENDPOINT, "path", "status")),
    ("endpoint_method", put(ENDPOINT, "method", "PATCH")),
    ("endpoint_method", put(ENDPOINT, "method", "get")),
    (
        "setting_count",
        put(GROUP, "settings", [setting(f"setting_{number}", "text-input") for number in range(65)]),
    ),
    ("setting_name", a_setting("the-tone", "text-input")),
    ("setting_unique", a_setting("secret", "text-input")),
    ("setting_type", a_setting("note", "string")),
    ("setting_options", a_setting("mood", "select")),
    ("setting_options", a_setting("mood", "select", options=[choice("m" * 128)])),
    ("setting_default", a_setting("mood", "select", default="sad", options=[choice("calm")])),
    ("setting_default", a_setting("note", "text-input", default=["a"])),
    ("setting_scope", a_setting("note", "text-input", scope="all")),
    ("setting_scope", a_setting("app", "app-selector", scope="advanced-chat")),
    # source
    ("one_subclass", write("tools/echo.py", "word = 'echo'\n")),
    ("one_subclass", add("tools/echo.py", "\n\nclass Second(Tool):\n    pass\n")),
    ("imported_subclass", add("tools/echo.py", "from elsewhere import BaseTool\n")),
    ("imported_subclass", add("tools/echo.py", "from bridge.second import Second\n")),
    ("class_in_adapter", add("tools/echo.py", "\n\nclass Parameters:\n    word: str\n")),
    ("no_print", add(CORE, "print('ready')\n")),
    ("no_exit", add(CORE, "import sys\n\nsys.exit(1)\n")),
    ("no_exit", add(CORE, "raise SystemExit\n")),
    ("no_asyncio", add(CORE, "import asyncio\n")),
    ("no_asyncio", add(CORE, "from asyncio import gather\n")),
    ("request_timeout", add(CORE, "import requests\n\nrequests.get('https://tiny.example')\n")),
    ("secret_told", add(CORE, "def tell(api_key):\n    logger.info('using %s', api_key)\n")),
    ("secret_told", add(CORE, "def tell(robot):\n    raise ValueError(f'bad {robot.token}')\n")),
    # prose
    ("four_languages", drop(MANIFEST, "label.ja_JP")),
    ("four_languages", put(PROVIDER, "identity.description.pt_BR", " ")),
    ("four_languages", put(TOOL, "parameters.3.options.1.label.ko_KR", "-")),
    ("four_languages", drop(TOOL, "description.human.en_US")),
    ("four_languages", drop(GROUP, "settings.1.help.zh_Hans")),
    ("words_length", put(TOOL, "description.human.pt_BR", "p" * 1024)),
    ("english_words", put(TOOL, "parameters.0.label.en_US", "词")),
    (
        "readme_exists",
        remove("README.md"),
    ),
    ("readme_english", add("README.md", "\n中文\n")),
    ("readme_length", add("README.md", " word" * 550)),
    (
        "readme_topics",
        write("README.md", "Setup, usage, credentials. https://github.com/tiny-team/tiny\n"),
    ),
    ("readme_chinese", remove("readme/README_zh_Hans.md")),
    ("privacy_policy", write("PRIVACY.md", "\n")),
    ("privacy_template", add("PRIVACY.md", "!!! Please fill in the privacy policy of the plugin.\n")),
    # contents
    *[
        ("blocked_name", write(f"opskit/{name}", "x\n"))
        for name in (
            *(
                ".git/HEAD",
                ".venv/x",
                "__pycache__/x",
                ".pytest_cache/x",
                ".ruff_cache/x",
                ".idea/x",
                ".vscode/x",
            ),
            *("node_modules/x", "env/x", ".env", "a.pem", "a.key", "a.pyc", "a.log", "a.tmp", "a.bak"),
        )
    ],
    ("blocked_name", write(".env", "x\n")),
    *[("built_file", write(f"opskit/{name}", "x\n")) for name in ("build/x", "dist/x", "a.zip", "a.tar.gz")],
    ("built_file", write("dist/x", "x\n")),
    ("native_file", write("opskit/fast.so", "x\n")),
    ("native_file", write("opskit/fast", b"\x7fELF\0")),
    ("no_pyproject", write("pyproject.toml", "[project]\n")),
    ("no_pyproject", write("opskit/uv.lock", "version = 1\n")),
    ("unexpected_entry", write("tests/test_echo.py", "\n")),
    ("unexpected_entry", write("Makefile", "\n")),
    ("flat_assets", write("_assets/screens/one.png", b"\x89PNG\0")),
    ("package_size", lambda root: sparse(root / "opskit/data.bin", 52428801)),
    ("file_count", all_of(*(write(f"opskit/data/{number}.txt", "") for number in range(5001)))),
    ("requirements_exist", remove("requirements.txt")),
    *[
        ("requirement_pinned", add("requirements.txt", f"{line}\n"))
        for line in (
            "rich>=13",
            "rich",
            "rich @ https://tiny.example/rich.whl",
            "git+https://tiny.example/rich",
            "rich==13.0.0 ; python_version > '3'",
            "-r other.txt",
            "# rich",
        )
    ],
    ("sdk_floor", write("requirements.txt", "dify_plugin==0.8.1\n")),
    ("sdk_floor", write("requirements.txt", "requests==2.32.4\n")),
    ("heavy_requirement", add("requirements.txt", "torch==2.9.0\n")),
    *[
        ("secret_text", add(CORE, f"SAMPLE = '{text}'\n"))
        for text in (
            "sk-" + "a" * 24,
            "ghp_" + "a" * 36,
            "AKIA" + "A" * 16,
            "xoxb-" + "1" * 12,
            "eyJ" + ".".join(["a" * 9] * 3),
            "-----BEGIN RSA " + "PRIVATE KEY-----",
            "app-" + "a" * 24,
        )
    ],
    ("secret_text", add("README.md", "sk-" + "a" * 24)),
    ("secret_assignment", add(CORE, f"TOKEN = '{DRAWN}'\n")),
    ("secret_assignment", add(CORE, "webhook_secret = '0123456789abcdef0123456789abcdef'\n")),
]


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_the_tiny_plugin_breaks_no_rule(tiny: Path) -> None:
    assert broken_rules(tiny, marketplace=True) == []


@pytest.mark.parametrize(
    ("rule", "change"),
    [pytest.param(rule, change, id=f"{rule}-{n}") for n, (rule, change) in enumerate(BREAKS)],
)
def test_a_change_breaks_one_rule_and_no_other(tiny: Path, rule: str, change: Change) -> None:
    change(tiny)
    problems = broken_rules(tiny, marketplace=True)
    assert {problem.rule for problem in problems} == {rule}, [str(problem) for problem in problems]


def test_every_rule_is_broken_by_some_change() -> None:
    assert {rule for rule, _ in BREAKS} == RULES.keys()


def test_every_rule_says_who_insists_on_it() -> None:
    assert [name for name, rule in RULES.items() if not rule.check.__doc__] == []


def test_what_only_the_marketplace_asks_is_no_problem_before(tiny: Path) -> None:
    drop(MANIFEST, "repo")(tiny)
    drop(MANIFEST, "contact")(tiny)
    assert broken_rules(tiny) == []
    assert [problem.rule for problem in broken_rules(tiny, marketplace=True)] == [
        "contact_given",
        "repo_given",
    ]


def test_a_problem_reads_as_a_line(tiny: Path) -> None:
    put(ENDPOINT, "path", "status")(tiny)
    assert [str(problem) for problem in broken_rules(tiny)] == [
        "endpoints/status.yaml: endpoint_path: path 'status' does not begin with /"
    ]


def test_a_secret_is_not_repeated_in_the_problem(tiny: Path) -> None:
    add(CORE, f"TOKEN = '{DRAWN}'\nKEY = 'sk-{DRAWN}'\n")(tiny)
    problems = broken_rules(tiny)
    assert len(problems) == 2
    assert not any(DRAWN in str(problem) for problem in problems)


@pytest.mark.parametrize(
    "change",
    [
        put(MANIFEST, "privacy", "https://tiny.example/privacy"),
        put(MANIFEST, "privacy", "./PRIVACY.md"),
        put(MANIFEST, "version", "0.1.0-beta"),
        put(PROVIDER, "credentials_for_provider", {}),
        a_parameter("ratio", "number", "Default: 0.5.", default=0.5),
        a_parameter("half", "boolean", "On by default.", default=True),
        a_parameter("mood", "select", "Default: Calm.", default="calm", options=[choice("calm")]),
        add(CORE, "import requests\n\nrequests.get('https://tiny.example', timeout=3)\n"),
        add(CORE, "import requests\n\nrequests.get('https://tiny.example', **{'timeout': 3})\n"),
        add(CORE, '"""A comment may name session.tool and print("x")."""\n'),
        add(CORE, "token = secrets['api_token']\n"),
        add(CORE, "def tell(secrets):\n    raise ValueError(secrets(1))\n"),
        add("README.md", "\n```\n" + "word " * 600 + "\n```\n"),
    ],
)
def test_what_is_allowed_stays_allowed(tiny: Path, change: Change) -> None:
    change(tiny)
    assert broken_rules(tiny, marketplace=True) == []


def test_an_empty_folder_is_told_what_is_missing(tmp_path: Path) -> None:
    assert {problem.rule for problem in broken_rules(tmp_path)} == {
        "listed_file_exists",
        "privacy_policy",
        "readme_chinese",
        "readme_exists",
        "requirements_exist",
    }


def test_problems_come_by_file(tiny: Path) -> None:
    all_of(put(TOOL, "identity.name", "echo!"), put(ENDPOINT, "path", "status"), remove("PRIVACY.md"))(tiny)
    problems = broken_rules(tiny)
    assert problems == sorted(problems)
    assert Problem("PRIVACY.md", "privacy_policy", "is missing or empty") in problems
