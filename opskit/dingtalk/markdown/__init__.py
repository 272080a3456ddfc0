"""The Markdown that DingTalk takes: split by its structure, its tables turned into what phones can show."""

from opskit.dingtalk.markdown.cutting import Piece, size, split
from opskit.dingtalk.markdown.tables import tables_to_code, tables_to_lists
from opskit.dingtalk.markdown.words import looks_like_markdown, plain_title

__all__ = ["Piece", "looks_like_markdown", "plain_title", "size", "split", "tables_to_code", "tables_to_lists"]
