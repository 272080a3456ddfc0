"""Defects of lines: what stands above, between and below the rows, and rows that lack or exceed columns."""

from decimal import Decimal
from random import Random

from devtools.mixer import forms
from devtools.mixer.registry import defect
from devtools.mixer.table import ANY, JUNK, ROLES, Row, Sale, Table

_HALF = 0.5


@defect()
def duplicates(table: Table, dice: Random) -> bool:
    """The same row twice: both count."""
    for row in table.some(dice):
        place = next(place for place, other in enumerate(table.rows) if other is row)
        table.rows.insert(place + 1, Row(row.sale, dict(row.cells)))
    return True


@defect()
def blank_rows(table: Table, dice: Random) -> bool:
    """Lines without anything, with delimiters, or with spaces."""
    for _ in range(dice.randint(1, 3)):
        line = dice.choice([[""], [""] * len(table.columns), [" "] * len(table.columns), ["\u3000", ""]])
        table.insert(dice, Row(line=line, reasons=frozenset({"blank"}), optional=True))
    return True


def _label(table: Table, dice: Random, above: list[Sale]) -> str:
    day = above[-1].day if above else None

    def known(name: str) -> str:  # of what nobody sold, it is the name of something
        return f"{name} Total" if any(name in {sale.product, sale.region} for sale in above) else "Total"

    if table.language == "en":
        if dice.random() < 0.3 and day:
            return dice.choice(
                [f"{day} Total", *map(known, ["North", "Widget"]), "Total (USD)", "Total for March", "TOTAL:"]
            )
        return dice.choice(["Total", "TOTAL", "Grand Total", "Subtotal", "Sub-total:", "Total:", "Sum", "Page total"])
    if dice.random() < 0.3 and day:
        return dice.choice(
            [f"{day} 小计", f"{day.month}月合计", f"{day} 汇总", "小计(5笔)", "华为手机 小计", "合计：5 行"]
        )
    return dice.choice(
        [
            "合计",
            "总计",
            "小计",
            "本页小计",
            "累计",
            "共计",
            "合 计",
            "总计：",
            "华东小计",
            "合计（元）",
            "Total",
            "本月合计",
        ]
    )


def _total_row(table: Table, dice: Random, place: int) -> Row:
    """A row of sums, labelled in the column of the date, the product, the region, or in the first one."""
    cells = dict.fromkeys(table.columns, "")
    above = [row.sale for row in table.rows[:place] if row.good and row.sale]
    amount = sum((table.amount(sale) for sale in above), Decimal(0))
    worth = sum((table.worth(sale) for sale in above), Decimal(0))
    write = forms.comma if table.decimal_comma else forms.plain
    if dice.random() < 0.8:
        cells |= {"amount": write(amount), "total": write(worth)}
    if dice.random() < 0.4:
        cells["price"] = write(worth)
    usual = [column for column in ("date", "product", "region") if column in cells]
    others = [column for column in cells if column not in {*ROLES, "total", "currency"}]
    label = _label(table, dice, above)
    cells[dice.choice([*usual, *usual, *others])] = label
    named = [column for column in cells if column not in {"price", "amount", "total", "date"} and not cells[column]]
    if dice.random() < 0.2 and named and above:
        column = dice.choice(named)
        cells[column] = {"product": above[-1].product, "region": above[-1].region}.get(column, "")
    if cells["date"] == "" and above and dice.random() < 0.3 and "fill_down" not in table.params:
        cells["date"] = f"{above[-1].day}"
    return Row(cells=cells, reasons=frozenset({"total_row"}))


@defect(weight=2)
def totals(table: Table, dice: Random) -> bool:
    """Sums at the end."""
    table.rows.append(_total_row(table, dice, len(table.rows)))
    return True


@defect(weight=2)
def subtotals(table: Table, dice: Random) -> bool:
    """Sums in the middle."""
    for _ in range(dice.randint(1, 3)):
        place = dice.randint(1, len(table.rows))
        table.rows.insert(place, _total_row(table, dice, place))
    return True


@defect()
def repeated_headers(table: Table, dice: Random) -> bool:
    """The header once more, on each page."""
    if not table.header:
        return False
    for _ in range(dice.randint(1, 2)):
        names = [table.names[column] for column in table.columns]
        table.insert(dice, Row(line=names, reasons=frozenset({"repeated_header"})))
    return True


_NOTES = {
    "zh": ["备注：以上数据不含线上渠道", "制表人：张三", "审核：李四", "说明：金额含税",
    "打印时间：2026-03-06 10:00", "第 1 页 共 3 页",
           "# 注释", "注：退货已扣除", "以上数据仅供参考", "数据来源：ERP", "导出时间 2026-03-06", "单位：元"],
    "en": ["Note: no online sales", "# comment", "Prepared by Lee", "Page 1 of 3", "Generated on 2026-03-06",
    "Source: ERP",
           "End of report", "Printed: 2026-03-06 10:00", "* excluding tax", "All prices in USD"],
}  # fmt: skip


def _note(table: Table, dice: Random) -> Row:
    text = dice.choice(_NOTES["en" if table.language == "en" else "zh"])
    more = [] if dice.random() < _HALF else [""] * (len(table.columns) - 1)
    if text == "制表人：张三" and more:
        more[0] = "审核：李四"
    return Row(line=[text, *more], reasons=frozenset({"note", "bad_date", "bad_price", "total_row"}))


@defect(weight=2)
def footers(table: Table, dice: Random) -> bool:
    """Notes below."""
    for _ in range(dice.randint(1, 3)):
        table.rows.append(_note(table, dice))
    return True


@defect()
def notes_between(table: Table, dice: Random) -> bool:
    """Notes and page numbers in the middle."""
    for _ in range(dice.randint(1, 2)):
        table.insert(dice, _note(table, dice))
    return True


@defect()
def units_row(table: Table, dice: Random) -> bool:
    """Units below the header."""
    if not table.header:
        return False
    unit = (
        {"price": "元", "amount": "件", "total": "元"} if table.language != "en" else {"price": "USD", "amount": "pcs"}
    )
    form = dice.choice(["{}", "({})", "（{}）"])
    cells = {column: form.format(text) for column, text in unit.items() if column in table.columns}
    if dice.random() < _HALF and table.language != "en":
        cells["date"] = "单位"
    table.rows.insert(0, Row(cells=cells, reasons=JUNK | {"bad_date"}, optional=True))
    return True


@defect(weight=2)
def preamble(table: Table, dice: Random) -> bool:
    """Title lines above the header."""
    if table.language == "en":
        lines = [
            ["Sales report"],
            ["Department: A"],
            ["Printed on: 2026-03-06", "", ""],
            [""],
            ["Period", "2026-03-01", "2026-03-05"],
        ]
    else:
        lines = [["某某公司销售日报"], ["制表日期：2026-03-06", "", "", ""], ["部门：销售一部"], [""], ["统计期间",
        "2026-03-01", "至", "2026-03-05"],
                 ["销售日报表（单位：元）"], ["产品销售数量、金额明细"]]  # fmt: skip
    table.above = [list(line) for line in dice.sample(lines, dice.randint(1, 4))]
    return True


@defect(weight=0.7)
def appended_table(table: Table, dice: Random) -> bool:
    """Another table below, of the same shape, with a header of its own: what it holds was not sold."""
    if not table.header or table.language not in {"zh", "en"}:
        return False
    zh = table.language == "zh"
    other = (
        ("退货日期", "产品", "成本价", "库存数量", "仓库")
        if zh
        else ("Return Date", "Item", "Cost", "Stock", "Warehouse")
    )
    names = dict(zip(ROLES, other, strict=True))
    table.rows.append(Row(line=[""], reasons=frozenset({"blank"}), optional=True))
    table.rows.append(Row(line=[names.get(column, "x") for column in table.columns], reasons=ANY))
    for row in dice.sample(table.rows, 3) if len(table.rows) > 3 else []:
        if row.sale and row.good:
            table.rows.append(Row(cells=dict(row.cells), reasons=ANY))
    return True


@defect(weight=0.7)
def joined_exports(table: Table, dice: Random) -> bool:
    """Two exports one behind the other: a byte order mark and the header in the middle."""
    if not table.header or table.container != "text":
        return False
    names = [table.names[column] for column in table.columns]
    table.insert(dice, Row(line=["\ufeff" + names[0], *names[1:]], reasons=frozenset({"repeated_header"})))
    return True
