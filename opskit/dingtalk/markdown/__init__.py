"""Markdown as DingTalk takes it: cut to size by its structure, its tables made fit for phones, its title found.

Nothing here renders. A text is read line by line into the few blocks that matter (``blocks``), and what comes
out is the text's own characters again, save where a block had to be closed and opened or a table replaced.
"""

from opskit.dingtalk.markdown.cutting import Piece, split
from opskit.dingtalk.markdown.measure import size
from opskit.dingtalk.markdown.prose import looks_like_markdown, plain_title
from opskit.dingtalk.markdown.tables import tables_to_code, tables_to_lists

__all__ = ["Piece", "looks_like_markdown", "plain_title", "size", "split", "tables_to_code", "tables_to_lists"]
