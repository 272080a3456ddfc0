r"""The characters of JSON, of what is written in their place, and the patterns that tell what may follow.

Every pattern looks a bounded number of characters ahead, or takes time in proportion to what it consumes: that is
what keeps the scanner linear.
"""

import re

ODD_SPACE = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff"
COMMAS, COLONS = ",，、﹐;；", ":：﹕"
_SURE_COMMAS = ",，、﹐"  # behind a quotation mark, a semicolon is more likely one of code
OBJECT, ARRAY, TUPLE = "{｛", "[［【〔", "(（"
OBJECT_END, ARRAY_END, TUPLE_END = "}｝", "]］】〕", ")）"
ENDS = OBJECT_END + ARRAY_END + TUPLE_END
P_ARRAY, P_ARRAY_END, P_ENDS = re.escape(ARRAY), re.escape(ARRAY_END), re.escape(ENDS)  # inside [] of a pattern

# What may end a text that begins with the key.
QUOTES = {
    '"': '"”“＂',
    "'": "'’‘＇",
    "`": "`'´",
    "´": "´'`",
    "“": '”“"＂',
    "”": '”"',
    "„": '”“"',
    "＂": '＂"”',
    "‘": "’‘'`",
    "’": "’'",
    "＇": "＇'’",
    "「": "」",
    "『": "』",
    "«": "»",
}
QUOTE = "[" + "".join(QUOTES) + "]"
ANY_QUOTE = "[" + "".join(sorted(set("".join(QUOTES) + "".join(QUOTES.values())))) + "]"

# A text, a number and a word of strict JSON (RFC 8259).
SPACE = r"[ \t\n\r]*+"
_PLAIN = r'[^"\\\x00-\x1f]*+'
TEXT = rf'"{_PLAIN}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_PLAIN})*+"'
NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
BARE = rf"(?:{NUMBER}|true|false|null)(?={SPACE}[,\]}}])"

# What may stand between two marks, as far ahead as a decision looks.
GAP = rf"(?:[\s{ODD_SPACE}]|//[^\n\r]{{0,400}}+|/\*[^*]{{0,400}}+\*/|(?<=[\s,\[{{])\#[ \t][^\n\r]{{0,400}}+[\n\r])*+"
NAME = r"[$@]?[^\W\d][\w$.\-]{0,80}+"
_COLON = rf"{GAP}(?:[{COLONS}]|=>)"
_PIECE = rf"[^\"\\\n{COMMAS}{COLONS}{{}}{P_ARRAY}{P_ENDS}]"
_ENDED_QUOTES = [(mark, ends) for mark, ends in QUOTES.items() if mark != '"']
_MARKED = "|".join(rf"{mark}{{1,3}}[^{ends}\\]{{1,120}}+[{ends}]{{1,3}}" for mark, ends in _ENDED_QUOTES)
QUOTED_KEY = (
    rf"(?:\"\"|''|\"{{1,3}}[^\"“”\\]{{1,120}}+[\"”]{{1,3}}|{_MARKED}|\"(?:[^\"\\]|\\.){{1,120}}+\""
    rf"|\"{_PIECE}{{0,60}}+\"{_PIECE}{{1,60}}+\"{_PIECE}{{0,60}}+\"){GAP}(?:[{COLONS}]|=>?)"
)
KEY = rf"(?:{QUOTED_KEY}|(?:{NAME}(?:(?: {NAME}){{0,4}}+[\"'])?|[0-9.]{{1,30}}+){_COLON}(?!//))"
ELLIPSIS = r"(?:\.\.\.+|…+)"
_WORD = rf"(?:{NUMBER}|(?i:true|false|null|none|undefined))"
_SHORT = (
    '(?:"[^"\n]{0,200}+"|' + "|".join(rf"{mark}[^{ends}\n]{{0,200}}+[{ends}]" for mark, ends in _ENDED_QUOTES) + ")"
)
_STOP = rf"{GAP}(?:[{COMMAS}{P_ENDS}]|\Z)"
AN_ITEM = rf"(?:{_WORD}|{_SHORT})"
_STARTS = rf"{GAP}(?:[{COMMAS}{P_ENDS}{OBJECT}{P_ARRAY}\"\-\d]|\Z)"
# What may follow a bracket that ends an object or an array inside another.
NEXT = rf"{GAP}(?:\Z|[{COMMAS}{P_ENDS}`]|{KEY}|(?<=\s)(?:[{OBJECT}{P_ARRAY}]|(?:{_WORD}|{_SHORT}){_STOP}))"
_ENDED = rf"(?:(?:{ELLIPSIS}{GAP})?+[{OBJECT_END}{P_ARRAY_END}]{NEXT}|\+{GAP}{QUOTE})"

# A key that lacks its closing mark, by the colon and the value behind it.
UNENDED_KEY = (
    rf"[^\n{ANY_QUOTE[1:-1]}{COMMAS}{COLONS}{{}}{P_ARRAY}{P_ENDS}]{{1,80}}+[{COLONS}]"
    rf"{GAP}(?:[{OBJECT}{P_ARRAY}]|(?:{_WORD}|{_SHORT}){_STOP})"
)

# What may follow the quotation mark that ends a value in an object, an item in an array, a key.
AFTER_VALUE = re.compile(
    rf"{GAP}(?:\Z|```|{_ENDED}|[{_SURE_COMMAS}]{GAP}(?:\Z|[{P_ENDS}{COMMAS}{OBJECT}]|{ELLIPSIS}|{KEY}|{NAME}\s+{QUOTED_KEY}|\"{UNENDED_KEY}"
    rf"|{QUOTE}[^\"\n]{{0,200}}+\Z|{_SHORT}{GAP}(?:[{OBJECT}{P_ARRAY}]|(?:{_WORD}|{_SHORT}){_STOP}))"
    rf"|{QUOTED_KEY}|[;；]{GAP}(?:{QUOTED_KEY}|[{OBJECT_END}]{NEXT}))"
    rf"|[^\S\n]*+\n{GAP}{KEY}|\s++{NAME}{_COLON}{GAP}(?:[{OBJECT}{P_ARRAY}]|(?:{_WORD}|{_SHORT}){_STOP})"
)
AFTER_ITEM = re.compile(
    rf"{GAP}(?:\Z|```|{_ENDED}|[{TUPLE_END}{COLONS}]"
    rf"|[{_SURE_COMMAS}]{GAP}(?:\Z|[{P_ENDS}{COMMAS}{OBJECT}{P_ARRAY}{TUPLE}]|{QUOTE}|{ELLIPSIS}|{_WORD}\b"
    rf"|[^\W\d][^\"\n{COMMAS}{P_ARRAY}{P_ENDS}]{{0,60}}+\s*+[{COMMAS}{P_ENDS}])"
    rf"|[;；]{GAP}{_SHORT}{GAP}[;；{P_ARRAY_END}]"
    rf"|{_WORD}{_STOP}|{_SHORT}{_STOP})"
    rf"|\s{GAP}(?:{_SHORT}|{_WORD}){_STARTS}|\s*+\n{GAP}[{OBJECT}{P_ARRAY}]|\s{GAP}(?:{{\s*(?:{QUOTE}|}})|\[\s*(?:{QUOTE}|[\]\d{{\[]))"
)
# An item behind it that lacks its own opening mark; a word or number that lacks the comma behind it.
UNOPENED = re.compile(rf"{GAP}[{_SURE_COMMAS}]{GAP}[^\W\d][^\"\n{COMMAS}{P_ARRAY}{P_ENDS}]{{0,60}}+\"{_STOP}")
UNOPENED_ITEM = re.compile(rf"[^\W\d][^\"\n{P_ARRAY}{{}}\]]{{0,200}}?(?<![\s,])\"(?={_STOP})")
UNPARTED = re.compile(
    rf"(?P<word>{_WORD})\s++(?=[{OBJECT}{P_ARRAY}]|(?:{_WORD}\s++){{0,20}}(?:{_WORD}|{_SHORT}){_STOP})"
)
LITERAL = re.compile(_WORD)
BARE_WORD = re.compile(rf"{NUMBER}|true|false|null")
LITERAL_BEFORE_KEY = re.compile(rf"(?P<word>{_WORD})[^\S\n]++(?={KEY})")
LITERAL_ENDED = re.compile(rf"(?P<word>{_WORD})(?=//|\s*+{ELLIPSIS}{GAP}[{COMMAS}{P_ENDS}])")
AFTER_KEY = re.compile(
    rf"{GAP}(?:[{COLONS}]|=>?)|{GAP}(?:\Z|[{OBJECT}{P_ARRAY}]|(?:{_WORD}|{_SHORT}){_STOP}|[{_SURE_COMMAS}]{GAP}(?:\Z|{QUOTE})"
    rf"|[{OBJECT_END}{P_ARRAY_END}]{NEXT})"
)
# What may follow it at the least, where nothing better is found.
AFTER_ANY = re.compile(rf"{GAP}[{_SURE_COMMAS}{COLONS}{P_ENDS}]")
# The same for what stands in the outermost brackets: behind their end, prose may go on.
AFTER_LAST_VALUE = re.compile(rf"{AFTER_VALUE.pattern}|{GAP}[{OBJECT_END}](?!{GAP}{QUOTE})")
AFTER_LAST_ITEM = re.compile(rf"{AFTER_ITEM.pattern}|{GAP}[{P_ARRAY_END}](?!{GAP}{QUOTE})")
AFTER_ROOT = re.compile(rf"{GAP}(?:\Z|\+{GAP}{QUOTE})")

# Members and items that are as they should be, taken in one step.
_MEMBER = rf"{SPACE}{TEXT}{SPACE}:{SPACE}(?:{TEXT}|{BARE}){SPACE}"  # a comma of thousands is followed by no key
MEMBERS = re.compile(rf"(?:{_MEMBER},(?={SPACE}{TEXT}{SPACE}:))++")
FLAT_OBJECT = rf"{{(?:(?:{_MEMBER},)*+{_MEMBER})?+{SPACE}}}"  # strict, without brackets inside
GOOD_KEY = re.compile(rf"{TEXT}{SPACE}:{SPACE}")
_GOOD_VALUE = (
    rf"{BARE}(?!,[0-9]{{3}}(?![0-9:]))"
    rf"|{TEXT}(?={SPACE}(?:,{SPACE}(?:{TEXT}{SPACE}:|{NAME}:|//|}}|\Z)|}}{SPACE}(?:[,}}\]]|\Z))"
    rf"|[ \t\r]*+\n{SPACE}{TEXT}{SPACE}:)"
)
GOOD_VALUE = re.compile(_GOOD_VALUE)
ITEMS = re.compile(
    rf"(?:{SPACE}(?:{TEXT}(?={SPACE},{SPACE}[\"\-\d{{\[tfn])|{BARE}){SPACE},(?={SPACE}[\"\-\d{{\[tfn]))++"
)
_GOOD_ITEM = rf"{BARE}|{TEXT}(?={SPACE}(?:,{SPACE}[\"\-\d{{\[tfn\]]|\]{SPACE}(?:[,}}\]]|\Z)))"
GOOD_ITEM = re.compile(_GOOD_ITEM)
# The same with faults that are common: a key without marks, words of Python, a bracket that opens.
_COMMON = rf"(?P<word>True|False|None)(?={SPACE}[,}}\]])"
MEMBER = re.compile(
    rf"{SPACE}(?:{TEXT}|(?P<key>[A-Za-z_]\w*+)){SPACE}:{SPACE}"
    rf"(?:(?P<open>[{{\[])|(?P<value>{_GOOD_VALUE}|{_COMMON})(?P<comma>{SPACE},(?={SPACE}[\"A-Za-z_]))?+)",
    re.ASCII,
)
# A member whose marks are doubled, as in a cell of CSV.
DOUBLED_MEMBER = re.compile(
    rf'{SPACE}(?P<name>""(?P<key>[^"\\\n]{{1,200}}+)""(?P<colon>{SPACE}:{SPACE})"")(?P<value>[^"\\\n]{{1,2000}}+)""'
    rf'(?P<comma>{SPACE},(?={SPACE}""\w))?+(?={SPACE}["}}\]])'
)
# A member whose key lacks its closing mark, between others.
UNENDED_MEMBER = re.compile(
    rf'{SPACE}"(?P<key>[^\x00-\x1f\\{ANY_QUOTE[1:-1]}{COMMAS}{COLONS}{{}}{P_ARRAY}{P_ENDS}]{{1,80}}+):{SPACE}'
    rf'(?:{BARE},(?={SPACE}"(?!{SPACE}:))|"(?!{SPACE}:)[^\x00-\x1f\\"“”＂]{{1,2000}}+",(?={SPACE}"{UNENDED_KEY}))'
)
ITEM = re.compile(rf"{SPACE}(?:(?P<open>[{{\[])|(?P<value>{_GOOD_ITEM}|{_COMMON}))")
# What stands between members where nothing is odd, but perhaps a comma before the end.
BETWEEN = re.compile(
    rf"[ \t\r]*+(?P<lost>\n){SPACE}(?=[\"A-Za-z_])"
    rf"|{SPACE}(?:(?P<comma>,){SPACE}(?:(?P<open>[{{\[])|(?=[\"\dA-Za-z_]))|(?P<last>,)?+{SPACE}(?P<end>[}}\]]))"
)

BLANK = re.compile(SPACE)
ODD = re.compile(f"[{ODD_SPACE}]+")
