"""Cells that are words about the table, not data of it."""

import re
import unicodedata

from opskit.sales.cells.folding import LONGEST, bare, folded, simplified
from opskit.sales.cells.numbers import number

_NULL_MARKERS = """
    n/a na #n/a n.a. n.a null <null> (null) [null] none <none> (none) nil nan <na> nat \\n undefined missing empty
    (blank) (空白) (空) 无 无数据 空 空值 空白 暂无 暂无数据 没有 缺 缺失 缺省 不详 待定 待补 待填 未填 未填写 未提供
    不适用
"""
_NULLS = frozenset(_NULL_MARKERS.split())
_NOTHING_BUT_MARKS = re.compile(r"[-_/\\.*?~…·、,]+")
_ERROR = re.compile(
    r"#(?:ref!|n/a|div/0!|value!|name\?|num!|null!|spill!|calc!|field!|blocked!|unknown!|busy!|connect!|external!"
    r"|python!|error!|getting_data|##*)|err:[0-9]{3}",
    re.IGNORECASE,
)

_LONGEST_TOTAL = 60
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_AROUND = " *#:=-_+()[]【】<>《》「」|~.,;、'\""
_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_OF = "金额|数量|销售额|销售金额|销售数量|销量|销售|件数|笔数|行数|额|数"
_FIGURE = r"\s*(?P<colon>[:=])?\s*(?P<figure>(?:[a-z]{3}\s?)?[-+$€£¥]*[0-9].*)?"
_CHINESE = re.compile(
    rf"(?:.{{0,16}}?(?:合计|总计|小计|累计|共计)(?:{_OF})?|总(?:和|共|{_OF})|(?:数据|销售|金额)?汇总|합계|총계|소계|누계)"
    rf"{_FIGURE}"
)
_FORMULA = re.compile(r"=\s*[a-z][a-z.]*\(")
_MEAN = re.compile("(?:总|每?日|每?月|每?周)?(?:平均值?|均值)|(?:每?日|每?月|每?周)均|最[大小高低]值|averages?|avg")
_GROUP = re.compile(r"\S{1,16}\s汇总")  # what Excel writes below a group
_PERIOD = (
    r"q[1-4]|(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?(?:\s[0-9]{4})?"
    r"|[0-9]{4}(?:[-/.][0-9]{1,2}){0,2}|(?:page|week|day|month)(?:\s[0-9]{1,4})?"
)
_ENGLISH = re.compile(
    r"(?:(?:(?:grand|sub|daily|weekly|monthly|yearly|annual|quarterly|overall|running|cumulative|net|gross|final|report"
    rf"|sheet|order|sales|sum|{_PERIOD})[\s-]?)?totals?"
    r"(?:\s(?:sales|amount|qty|quantity|price|value|revenue|units|orders?|items?|rows|général|general))?"
    rf"(?:\s(?:for|of|in)\s(?:the\s)?(?:{_PERIOD}))?"
    r"|(?:amount|sales|quantity|qty)\stotal|sums?|sum\stotal|sous-total|suma|summe|gesamt|gesamtsumme|zwischensumme|σ)"
    rf"{_FIGURE}"
)
_PARAGRAPHS = re.compile(r"\n\s*\n")  # of a message
_MONEY = re.compile(r"[^0-9]|[0-9]+[.,]")  # a figure that is no part of a name
_HINT = re.compile(r"total|sum|gesamt|σ|[计总汇계均值]|av(?:era)?g")  # no label of a total is without

_WHO = "制表|制单|填表|填报|编制|审核|复核|复审|审批|批准|经办|经手|核对|统计|负责|操作|打印|导出|生成|查询|更新|下载"
_WHAT = "人|人员|员|者|时间|日期|单位|部门|周期|口径|范围|条件|区间"
_NOTE = re.compile(
    # a key alone or with a colon, perhaps numbered ("注1：")
    r"(?:(?:说明|备注|附注|注释|注解|注|注意|注意事项|提示|温馨提示|声明)[0-9一二三四五六七八九十]{0,2}(?:\([^()]*\))?(?:\s?[:;]|[\s)\]】>》]*$)"
    rf"|(?:{_WHO})(?:{_WHAT})?(?:\s?:|\s*$)"
    # a key that needs the colon, for it could be data
    r"|(?:附|签字|签名|签章|盖章|主管|会计|出纳|财务|部门|单位|(?:公司|店铺|门店|报表|文件)(?:名称)?|联系(?:人|电话|方式)|电话|地址"
    r"|(?:数据)?来源|页码|标题|期间|(?:报表|报告|数据|截止|截至|日期|时间)(?:时间|日期|期间|区间|范围|周期|口径|来源)|币种"
    r"|report|company|department|dept|currency|filters?|period|date\srange|notes?|remarks?|comments?|disclaimer"
    r"|(?:data\s)?sources?|warning|caution|footnotes?|n\.?b\.?|printed|generated|exported|created)\s?:"
    # a key and what it says
    rf"|(?:{_WHO})(?:时间|日期|于|人)\s?[0-9a-z\u3400-\u9fff]"
    r"|(?:以上|以下|上述|本表|本报表|本页|此表)(?:数据|均|为|金额|价格|内容|仅|不含|包含|单位|统计|空白|无正文|所有)"
    r"|数据(?:来源|截止|截至|更新|口径|不含|包含|仅供)|截[止至]\s?[0-9到于]|仅供(?:参考|内部)|特此|结束$|完$"
    r"|第\s?[0-9]+\s?页|共\s?[0-9]+\s?[条页笔行单项]"
    r"|(?:notes?|remarks?|disclaimer|footnotes?)\s*$"
    r"|(?:printed|generated|exported|created|prepared|approved|reviewed|checked|downloaded)\s(?:on|at|by|from)\b"
    r"|(?:report|print|printing|export|run)\s(?:date|time|generated|period)\b|(?:data\s)?as\sof\s"
    r"|page\s[0-9]+(?:\s?(?:of|/)\s?[0-9]+)?\s*$|end\sof\s(?:the\s)?(?:report|file|data|list|table)\b|end\W*$"
    r"|(?:all\s)?(?:prices|amounts|figures|values)\s(?:are\s)?(?:in|exclude|include|excluding|including)\b)"
)
_COMMENT = re.compile(r"#(?![#0-9])\s*\S|//(?!\S*\.)|--+\s?[^\W\d]|/\*")
_ORNAMENTS = " *※◆●■★☆▲【[(<《「『-=_~"


def null(text: str) -> bool:
    """Whether ``text`` stands for nothing: blank, or a marker such as "N/A", "NULL", "--", "无"."""
    if len(text) > LONGEST and text.strip():
        return False
    text = bare(text)
    return not text or text.casefold() in _NULLS or bool(_NOTHING_BUT_MARKS.fullmatch(text))


def excel_error(text: str) -> bool:
    """Whether ``text`` is what a spreadsheet shows for a failed formula: "#REF!", "#N/A", "#DIV/0!", "####" …."""
    return bool(_ERROR.fullmatch(bare(text)))


def is_total(text: str) -> bool:
    """Whether ``text`` is the label of a total: "合计", "本页小计：", "Grand Total"; never a product with one in it.

    A line of means or extremes ("平均", "最大值", "Average") is no sale either, a formula ("=SUM(A1:A9)") is a name.

    A name may stand before it in Chinese ("华东小计"), in English only a period or a kind ("March Total"), for
    "Colgate Total" is toothpaste. The figure may follow ("合计：1,234.50"), in English after a colon or as money,
    for "Total 90" is a boot.
    """
    written = text[: LONGEST * 2].strip()
    text = " ".join(_plain(written).split())
    if len(text) > _LONGEST_TOTAL or not _HINT.search(text) or _PARAGRAPHS.search(written) or _FORMULA.match(text):
        return False
    text = _BRACKETED.sub("", text).strip(_AROUND) or text.strip(_AROUND)
    if _GROUP.fullmatch(text) or _MEAN.fullmatch(_BETWEEN_HAN.sub("", text)):
        return True
    found = _CHINESE.fullmatch(_BETWEEN_HAN.sub("", text))
    if found:
        return not found["figure"] or number(found["figure"], units=True) is not None
    found = _ENGLISH.fullmatch(text)
    if not found:
        return False
    figure = found["figure"]
    return not figure or (number(figure) is not None and bool(found["colon"] or _MONEY.match(figure)))


def is_note(text: str) -> bool:
    """Whether ``text`` opens a note about the table: "备注：…", "制表人：…", "# …", "打印时间 2026-03-06".

    Ask it of the first cell of a line that holds something: a column may be headed "备注" as well.
    """
    text = _BETWEEN_HAN.sub("", _plain(text[: LONGEST * 2]))
    if _COMMENT.match(text):
        return not excel_error(text)
    return bool(_NOTE.match(text.lstrip(_ORNAMENTS)))


def _plain(text: str) -> str:
    if text.isascii():
        return text.strip().casefold()
    return simplified(unicodedata.normalize("NFKC", folded(text))).casefold()
