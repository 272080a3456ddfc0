"""Sales, from any file that people call a table to figures, findings, a report and charts.

``analyze`` takes a path or a DataFrame, so that a notebook or a DAG can call it as the plugin does; ``examine`` gives
its charts and files as well.

    source.py    where the table comes from: a file that Dify holds, text in a parameter, a link
    posted.py    a table that comes with the request itself
    opening/     any file to one clean CSV and the meaning of its columns
    cells/       the text of one cell, and what it says
    ledger/      every row accepted, or rejected with a reason, and summed
    insight/     what a sales manager wants to know, from small tables of exact sums
    report.py    the findings in words; quality.py the account of the rows; figures.py the tables
    charts/      one description of a chart, for a chat and as a picture
    exports/     a page and a workbook to hand on
"""

from opskit.progress import Progress
from opskit.sales.analysis import Analysis
from opskit.sales.analyze import analyze, examine
from opskit.sales.attachments import Files
from opskit.sales.brief import Brief, Options
from opskit.sales.posted import Posted, analyze_posted
from opskit.sales.source import source

__all__ = [
    "Analysis",
    "Brief",
    "Files",
    "Options",
    "Posted",
    "Progress",
    "analyze",
    "analyze_posted",
    "examine",
    "source",
]
