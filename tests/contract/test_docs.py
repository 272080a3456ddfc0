"""The documents, held to what is there: names, defaults, paths and commands, and the guide's tool really built.

What stands in backticks or in a code block is a promise and is looked up; prose is not.
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pathspec import GitIgnoreSpec

import bridge
from devtools import catalog, package, plugin_process
from devtools.plugin_process import PluginFailure, PluginProcess
from opskit import errors, model, service, wording
from opskit.dingtalk.pace import PER_WINDOW
from opskit.sales.brief import MAX_CSV_TEXT
from opskit.webhook.journal import MAX_CHARS, MAX_EVENTS, MAX_TASKS, Entry

ROOT = Path(__file__).resolve().parents[2]
README, CHINESE, GUIDE = "README.md", "readme/README_zh_Hans.md", "CONTRIBUTING.md"
READMES = (README, CHINESE)
DOCUMENTS = (*READMES, GUIDE, "PRIVACY.md", "CHANGELOG.md")
TOOLS = {tool.name: tool for tool in catalog.tools()}
MOST_WORDS = 500
MOST_S = 300
LEFT_OUT = {"uv.lock"}  # named in the documents because it is not there
# Chinese, Japanese and Korean signs and letters, and full-width forms.
CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef]")
FENCE = re.compile(r"^ *```(?P<language>\w*)\n(?P<code>.*?)^ *```$", re.DOTALL | re.MULTILINE)
# A block of the guide that belongs into a file: `path` (new file | at the end | in `name`).
BLOCK = re.compile(r"^`([^`]+)` \((.+?)\)\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PATH = re.compile(r"(?=.*/|.*\.(?:md|py|ya?ml|toml|txt|svg|lock)$|LICENSE$|Makefile$)[\w.@-]+(?:/[\w.@-]+)*/?")


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def spans(document: str) -> list[str]:
    """What stands in backticks within a line."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text_of(document)))


def typed(document: str) -> list[str]:
    """What a reader could type: what stands in backticks, and the lines of blocks in no language."""
    blocks = [block["code"] for block in FENCE.finditer(text_of(document)) if not block["language"]]
    return [*spans(document), *(line for block in blocks for line in block.splitlines())]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the heading above it."""

    heading: str
    columns: list[str]
    rows: list[list[str]]


def tables(document: str) -> Iterator[Table]:
    heading = ""
    lines: list[list[str]] = []
    for line in [*text_of(document).splitlines(), ""]:
        if line.startswith("|"):
            lines.append([cell.strip() for cell in line.strip("|").split("|")])
        elif lines:
            yield Table(heading, lines[0], lines[2:])
            lines = []
        if line.startswith("#"):
            heading = line.lstrip("# ")


def bare(cell: str) -> str:
    return cell.strip("`")


# What the marketplace asks


def test_the_readme_is_english_and_short() -> None:
    text = text_of(README)
    assert CJK.findall(text) == []
    assert sum(any(letter.isalnum() for letter in word) for word in text.split()) <= MOST_WORDS


@pytest.mark.parametrize("document", READMES)
def test_the_readme_has_the_sections_that_the_marketplace_looks_for(document: str) -> None:
    headings = " ".join(re.findall(r"(?m)^## (.+)$", text_of(document))).lower()
    for section in ("setup", "credentials", "usage", "connection"):
        assert section in headings


# Tools and their parameters


@pytest.mark.parametrize("document", [*READMES, "CHANGELOG.md", "PRIVACY.md"])
def test_every_tool_is_named(document: str) -> None:
    assert TOOLS.keys() <= set(spans(document))


@pytest.mark.parametrize("document", READMES)
def test_the_table_of_tools_is_the_list_of_the_provider(document: str) -> None:
    assert sorted(bare(row[0]) for row in next(tables(document)).rows) == sorted(TOOLS)


@pytest.mark.parametrize(("document", "required", "empty"), [(README, "required", "empty"), (CHINESE, "必填", "空")])
def test_the_tables_of_parameters_say_what_the_yaml_says(document: str, required: str, empty: str) -> None:
    described = {bare(table.heading): table.rows for table in tables(document) if bare(table.heading) in TOOLS}
    assert described  # not of every tool: the README is to stay short
    for name, rows in described.items():
        parameters = TOOLS[name].parameters
        expected = {key: default(facts, required, empty) for key, facts in parameters.items()}
        assert [(bare(row[0]), row[1]) for row in rows] == [(key, expected[key]) for key in map(bare, first(rows))]
        # Whoever sets the tool up learns of everything that has to be filled in.
        assert {key for key, facts in parameters.items() if facts["required"]} <= set(map(bare, first(rows)))
        options = {option["value"] for facts in parameters.values() for option in facts.get("options", ())}
        words = {word for row in rows for word in re.findall(r"`(\w+)`", row[2])}
        assert words <= parameters.keys() | options


def first(rows: list[list[str]]) -> list[str]:
    """The cells of the first column."""
    return [row[0] for row in rows]


def default(facts: dict[str, Any], required: str, empty: str) -> str:
    """A parameter's default as a table of a README says it."""
    if facts["required"]:
        return required
    value = facts.get("default")
    if value is None:
        return empty
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("document", sorted({*DOCUMENTS} - {GUIDE}))
def test_every_name_means_something(document: str) -> None:
    known = TOOLS.keys() | wording.sentences("en_US")["error"].keys() | {"zh_Hans", "en_US"}
    known.add("error_message")  # what Dify calls the text of a failed node
    known |= {one["name"] for one in yaml.safe_load(text_of("group/opskit.yaml"))["settings"]}
    known |= Entry.model_fields.keys()  # of an event that an endpoint received
    for tool in TOOLS.values():
        options = {option["value"] for facts in tool.parameters.values() for option in facts.get("options", ())}
        known |= tool.parameters.keys() | tool.gives.model_fields.keys() | options
    assert {span for span in spans(document) if re.fullmatch(r"[a-z]+(?:_[A-Za-z]+)+", span)} <= known


@pytest.mark.parametrize("document", READMES)
def test_what_is_bound_is_bound_so_in_the_example(document: str) -> None:
    workflow = yaml.safe_load(text_of("examples/workflows/daily_sales_report.yml"))["workflow"]
    pushes = [node["data"] for node in workflow["graph"]["nodes"] if node["data"].get("tool_name") == "dingtalk_push"]
    bound = {key: entry["value"] for data in pushes for key, entry in data["tool_configurations"].items()}
    secret = {entry["name"] for entry in workflow["environment_variables"] if entry["value_type"] == "secret"}
    named = re.findall(r"`(\w+)`\W[^`]*`(\{\{#[\w.]+#\}\})`", text_of(document))
    assert {key for key, _ in named} == {"access_token", "sign_secret", "dedupe_key"}
    assert set(named) <= bound.items()
    assert set(re.findall(r"\{\{#env\.(\w+)#\}\}", text_of(document))) == secret
    assert secret <= set(spans(document))


@pytest.mark.parametrize("document", READMES)
def test_the_limits_are_those_of_the_code(document: str) -> None:
    text = text_of(document)
    deadline = TOOLS["dingtalk_push"].parameters["deadline_s"]["max"]
    assert re.search(rf"\b{PER_WINDOW} (messages|条)", text)
    for limit in (
        f"{TOOLS['sales_analysis'].parameters['max_mb']['default']} MB",
        f"{MAX_CSV_TEXT // 1_000_000} MB",
        f"{deadline}",
    ):
        assert re.search(rf"(?<!\d){limit}", text)


@pytest.mark.parametrize("document", READMES)
def test_every_endpoint_is_named(document: str) -> None:
    routes = {f"{method} {path}" for method, path, _ in service.ENDPOINTS}
    assert {span for span in spans(document) if re.match(r"(GET|POST) /", span)} <= routes
    assert routes - {"GET /"} <= set(spans(document))


def test_the_privacy_policy_says_how_much_is_kept() -> None:
    text = text_of("PRIVACY.md")
    for words in (f"last {MAX_EVENTS} events", f"last {MAX_TASKS} tasks", f"first {MAX_CHARS:,} characters"):
        assert words in text


# Errors


def error_classes(parent: type[errors.OpskitError] = errors.OpskitError) -> set[str]:
    """The names of all errors below ``parent``, and of what a bug becomes."""
    below = {name for child in parent.__subclasses__() for name in error_classes(child)}
    return below | {child.__name__ for child in parent.__subclasses__()} | {bridge.UnexpectedError.__name__}


@pytest.mark.parametrize("document", READMES)
def test_the_table_of_errors_is_the_tree_of_errors(document: str) -> None:
    (table,) = [table for table in tables(document) if table.columns[0] in {"Error", "错误"}]
    assert {bare(row[0]) for row in table.rows} == error_classes()
    assert len(table.rows) == len(error_classes())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_classes_and_keys_exist(document: str) -> None:
    sentences = wording.sentences("en_US")
    for span in spans(document):
        if re.fullmatch(r"[A-Z][a-z]+(?:[A-Z][a-z]+)*", span) and not PATH.fullmatch(span):
            assert any(hasattr(module, span) for module in (errors, model, bridge, plugin_process)), span
        # A key of an error, or a section of the locales.
        for key in re.findall(r"\[(\w+)\]", span):
            assert key in sentences["error"] or key in sentences, span
        for kind in re.findall(r"^(\w+): \[", span):
            assert kind in error_classes(), span


# Commands and paths


def make_words() -> dict[str, str]:
    """The words that ``make`` lists, each with what it says of it."""
    return dict(re.findall(r"(?m)^([a-z-]+):.*?## (.*)$", text_of("Makefile")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_word_exists(document: str) -> None:
    named = {word for line in typed(document) for word in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", line)}
    assert named <= make_words().keys()


def test_the_guide_explains_every_make_word() -> None:
    explained = {bare(row[0]) for table in tables(GUIDE) if table.columns[0] == "Word" for row in table.rows}
    assert explained == {f"make {word}" for word in make_words()} - {"make help"}
    assert "make" in spans(GUIDE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_module_that_is_started_exists(document: str) -> None:
    for module in {module for line in typed(document) for module in re.findall(r"python -m ([\w.]+)", line)}:
        spec = importlib.util.find_spec(module)
        assert spec is not None, module
        assert not spec.submodule_search_locations or importlib.util.find_spec(f"{module}.__main__"), module


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_exists(document: str) -> None:
    made_by_us = GitIgnoreSpec.from_lines(text_of(".gitignore").splitlines())
    made_by_the_reader = {path for path, place, _ in blocks() if place == "new file"} if document == GUIDE else set()
    words = {word for line in typed(document) for word in line.split()}
    links = set(re.findall(r"\]\((?!\w+:)([^)#\s]+)", text_of(document)))
    for path in {word for word in words if PATH.fullmatch(word)} | links:
        if path in LEFT_OUT:
            assert not (ROOT / path).exists(), path
        elif path not in made_by_the_reader and not made_by_us.match_file(path):
            assert (ROOT / path).exists(), path
            assert (ROOT / path).is_dir() or not path.endswith("/"), path


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in spans(README)
    assert "make test" in text_of(".ci/run").splitlines()


# The guide: a tool in an hour


def blocks() -> list[tuple[str, str, str]]:
    """File, place and code of every block of the guide that belongs into a file."""
    return BLOCK.findall(text_of(GUIDE))


def put(path: Path, place: str, code: str) -> None:
    """Do with ``code`` what the guide says: a new file, at the end of a file, or first in what ``place`` names."""
    if place == "new file":
        assert not path.exists(), path
        path.write_text(code, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if place == "at the end":
        path.write_text(text + code, encoding="utf-8")
        return
    name = re.escape(place.removeprefix("in ").strip("`"))
    opening = re.search(rf"(?m)^{name}(?:\b[^\n]*? = \{{|$)", text)
    assert opening, f"{path} has nothing called {name}"
    path.write_text(f"{text[: opening.end()]}\n{code.rstrip()}{text[opening.end() :]}", encoding="utf-8")


def run(root: Path, *command: str) -> str:
    """What the command says; it must succeed, and within the time."""
    done = subprocess.run(
        [sys.executable, *command], cwd=root, capture_output=True, text=True, timeout=MOST_S, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def guided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository after its reader has followed the guide."""
    root = tmp_path_factory.mktemp("guide") / "opskit"
    made_by_us = GitIgnoreSpec.from_lines([*text_of(".gitignore").splitlines(), ".git/"])

    def left_out(folder: str, names: list[str]) -> set[str]:
        place = Path(folder).relative_to(ROOT)
        return {name for name in names if made_by_us.match_file(f"{(place / name).as_posix()}/")}

    shutil.copytree(ROOT, root, ignore=left_out)
    assert len(blocks()) == len(re.findall(r"(?m)^```(?:python|yaml|toml)$", text_of(GUIDE))) - len(scripts())
    for path, place, code in blocks():
        put(root / path, place, code)
    run(root, "-m", "devtools.schemas", "write")
    return root


def scripts() -> list[str]:
    """The blocks of the guide that are to be run as they are."""
    without = BLOCK.sub("", text_of(GUIDE))
    return [block["code"] for block in FENCE.finditer(without) if block["language"] == "python"]


def test_the_tool_of_the_guide_works(guided: Path) -> None:
    with PluginProcess(guided) as plugin:
        counted = plugin.invoke("word_count", {"content": "to be or not to be"})
        assert (counted.text, counted.variables["words"]) == ("6 words.", 6)
        with pytest.raises(PluginFailure) as failure:
            plugin.invoke("word_count", {"content": "?!", "language": "zh_Hans"})
        assert (failure.value.kind, failure.value.message) == (
            "InvalidInput",
            "[no_words] 文本里没有词。请填写 content。",
        )
        assert plugin.errors == b""


def test_the_tool_of_the_guide_passes_the_tests_that_the_guide_adds(guided: Path) -> None:
    said = run(
        guided,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "word_count or has_its_calls"),
        *("tests/core/test_word_count.py", "tests/contract/test_tools.py", "tests/contract/test_one_truth.py"),
    )
    assert int(re.findall(r"(\d+) passed", said)[0]) >= 7


def test_the_tool_of_the_guide_passes_lint_and_the_rules_of_the_package(guided: Path, tmp_path: Path) -> None:
    new = [path for path, place, _ in blocks() if place == "new file" and path.endswith(".py")]
    run(guided, "-m", "ruff", "format", "--check", *new)
    run(guided, "-m", "ruff", "check", *new)
    assert package.build(guided, tmp_path).path.exists()


def test_the_scripts_of_the_guide_run() -> None:
    assert scripts()
    for script in scripts():
        assert run(ROOT, "-c", script)
