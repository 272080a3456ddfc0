"""The day's sales, from a file to figures, findings and a report.

``analyze`` takes a path or a DataFrame, so that a notebook or a DAG can call it as the plugin does.
"""

from opskit.sales.analyze import analyze
from opskit.sales.brief import Analysis, Brief
from opskit.sales.source import source

__all__ = ["Analysis", "Brief", "analyze", "source"]
