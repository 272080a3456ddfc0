"""Dify workflows on this machine: on graphon, Dify's own engine, with the plugin process behind the tool nodes.

What Dify's API does between a tool node and a plugin is done here as Dify does it: form values are resolved and
all values cast, files travel as addresses, and a failure is worded as users read it. LLM nodes are graphon's own,
with a function of the caller's in place of the model.
"""

from devtools.engine.files import Files, StoredFile
from devtools.engine.nodes import Model
from devtools.engine.runs import Run, begun_by_hand, run

__all__ = ["Files", "Model", "Run", "StoredFile", "begun_by_hand", "run"]
