"""What the plugin consists of: its tools, the models behind them, and their YAML.

The models are found by reading the adapters, not by importing them: that would load the SDK, which patches the
whole process (gevent).
"""

import ast
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from opskit.model import Params, Result

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class ToolEntry:
    """One tool: its name, what it takes and gives, and where its words stand."""

    name: str
    takes: type[Params]
    gives: type[Result]
    path: Path
    declaration: dict[str, Any]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The declared parameters by name."""
        return {parameter["name"]: parameter for parameter in self.declaration["parameters"]}


def tools(root: Path = ROOT) -> list[ToolEntry]:
    """The provider's tools, in its order."""
    provider = yaml.safe_load((root / "provider" / "opskit.yaml").read_text(encoding="utf-8"))
    return [_entry(root / path) for path in provider["tools"]]


def _entry(path: Path) -> ToolEntry:
    models = adapter_models(path.with_suffix(".py"))
    declaration = yaml.safe_load(path.read_text(encoding="utf-8"))
    return ToolEntry(declaration["identity"]["name"], models["takes"], models["gives"], path, declaration)


def adapter_models(path: Path) -> dict[str, Any]:
    """The classes that an adapter names as ``takes = module.Class`` and ``gives = module.Class``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return {
        target.id: getattr(importlib.import_module(modules[node.value.value.id]), node.value.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in {"takes", "gives"}
    }
