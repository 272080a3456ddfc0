"""The YAML files of a plugin as pydantic models: which keys there are and of which type.

Dify's packager accepts unknown keys and leaves most mistakes to the start of the plugin, so these models
forbid what they do not know. What a value may be is not said here: that is what the rules are for.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, RootModel, StringConstraints

Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]


class Document(BaseModel):
    """A map of a plugin's YAML. Strict, because the Go side does not turn a number into a string either."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Words(RootModel[dict[str, str]]):
    """The same words in several languages, by language code."""

    model_config = ConfigDict(strict=True, frozen=True)

    @property
    def english(self) -> str:
        """The en_US words, empty when they are missing."""
        return self.root.get("en_US", "")


class Enabled(Document):
    """A permission that is on or off."""

    enabled: bool


class ModelPermission(Enabled):
    """Which kinds of model the plugin may invoke."""

    llm: bool = False
    text_embedding: bool = False
    rerank: bool = False
    tts: bool = False
    speech2text: bool = False
    moderation: bool = False


class StoragePermission(Enabled):
    """Persistent storage; `size` in bytes."""

    size: int | None = None


class Permission(Document):
    """What the plugin may ask of Dify while it runs."""

    tool: Enabled | None = None
    model: ModelPermission | None = None
    node: Enabled | None = None
    endpoint: Enabled | None = None
    app: Enabled | None = None
    storage: StoragePermission | None = None


class Resource(Document):
    """Memory in bytes, and permissions."""

    memory: int
    permission: Permission = Permission()


class Extensions(Document):
    """Paths of the YAML files of each kind of extension."""

    tools: list[Text] = []
    models: list[Text] = []
    endpoints: list[Text] = []
    agent_strategies: list[Text] = []
    datasources: list[Text] = []
    triggers: list[Text] = []


class Runner(Document):
    """What Dify starts."""

    language: Text
    version: Text
    entrypoint: Text


class Meta(Document):
    """The manifest's own version, and what the plugin runs on."""

    version: Text
    arch: list[Text]
    runner: Runner
    minimum_dify_version: Text | None = None


class Manifest(Document):
    """manifest.yaml."""

    version: Text
    type: Text
    author: Text
    name: Text
    label: Words
    description: Words
    icon: Text
    icon_dark: Text | None = None
    resource: Resource
    plugins: Extensions
    meta: Meta
    tags: list[Text] = []
    created_at: Text
    privacy: Text
    # These three are the marketplace's.
    repo: Text | None = None
    contact: Text | None = None
    verified: bool = False


class PythonSource(Document):
    """The Python file that fulfils a YAML file."""

    source: Text


class Extra(Document):
    """Where the SDK looks for the Python file."""

    python: PythonSource


class ProviderIdentity(Document):
    """How the tool provider is shown."""

    author: Text
    name: Text
    label: Words
    description: Words
    icon: Text
    icon_dark: Text | None = None
    tags: list[Text] = []


class Provider(Document):
    """provider/<name>.yaml."""

    identity: ProviderIdentity
    credentials_for_provider: Any = None
    oauth_schema: Any = None
    tools: list[Text]
    extra: Extra


class ToolIdentity(Document):
    """How a tool is named and shown."""

    author: Text
    name: Text
    label: Words


class ToolDescription(Document):
    """What people and what models read about a tool."""

    human: Words
    llm: Text


class Option(Document):
    """One choice of a select parameter."""

    value: Text
    label: Words
    icon: Text | None = None


class AutoGenerate(Document):
    """Lets the editor write the value."""

    type: Text


class Template(Document):
    """Lets the value be a Jinja template."""

    enabled: bool


class Parameter(Document):
    """One parameter of a tool."""

    name: Text
    label: Words
    human_description: Words
    type: Text
    form: Text
    llm_description: Text | None = None
    required: bool = False
    default: Any = None
    min: int | float | None = None
    max: int | float | None = None
    precision: int | None = None
    options: list[Option] | None = None
    scope: Text | None = None
    auto_generate: AutoGenerate | None = None
    template: Template | None = None
    multiple: bool | None = None
    # Known to the SDK alone: the rule `inert_key` says so, more helpfully than "unknown key".
    placeholder: Any = None
    show_on: Any = None
    input_schema: Any = None


class OutputSchema(Document):
    """The root of a tool's output schema; below it JSON Schema begins."""

    type: Text
    properties: dict[str, dict[str, Any]]


class Tool(Document):
    """tools/<name>.yaml."""

    identity: ToolIdentity
    description: ToolDescription
    parameters: list[Parameter] = []
    output_schema: OutputSchema | None = None
    has_runtime_parameters: Any = None
    extra: Extra


class SettingOption(Document):
    """One choice of a select setting."""

    value: Text
    label: Words


class Setting(Document):
    """One setting of an endpoint group."""

    name: Text
    type: Text
    label: Words
    required: bool = False
    default: Any = None
    options: list[SettingOption] | None = None
    scope: Text | None = None
    multiple: bool | None = None
    help: Words | None = None
    url: Text | None = None
    placeholder: Words | None = None


class EndpointGroup(Document):
    """group/<name>.yaml. `settings` is a list; Dify's documentation shows a map, which does not load."""

    settings: list[Setting] = []
    endpoints: list[Text]


class Endpoint(Document):
    """endpoints/<name>.yaml."""

    path: Text
    method: Text
    hidden: bool = False
    extra: Extra
