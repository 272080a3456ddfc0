"""What shops, tills and ledgers export: their layouts, and columns that sound like ours and are not.

Which column is which is said here and nowhere else: the sales are what was ordered, by name, at the price that was
paid, where it went.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from devtools.mixer.registry import Change, defect, named
from devtools.mixer.table import ROLES, Table

_STATES = {
    "zh": (["交易成功", "已完成", "已发货", "卖家已发货，等待买家确认"], ["交易关闭", "已取消", "已退款", "待付款"]),
    "en": (["paid", "Completed", "Shipped - Delivered", "fulfilled"], ["Cancelled", "refunded", "voided", "Unpaid"]),
}
_MESSAGES = ("", "", '请"尽快"发货', "大号, 红色", "谢谢！\n辛苦了", '"', "a\tb", "第一行\r\n\r\n合计")


def _late(day: date, dice: Random) -> date:
    return day + timedelta(dice.randint(1, 9))


# What stands in a column, by its kind.
FILLERS: dict[str, Callable[[int, date, Random], str]] = {
    "id": lambda place, _, __: f"2026{place + 100_000}",
    "long": lambda place, _, __: f"{1234567890123450000 + place}",
    "tabbed": lambda place, _, __: f"{1234567890123450000 + place}\t",
    "formula": lambda place, _, __: f'="{1234567890123450000 + place}"',
    "count": lambda place, _, __: f"{place + 1}",
    "words": lambda _, __, dice: dice.choice(["", "", "ok", "加急"]),
    "message": lambda _, __, dice: dice.choice(_MESSAGES),
    "address": lambda _, __, dice: dice.choice(["上海市 浦东新区 1号, 2楼", "北京市\n海淀区5号", "1 Main St., #5"]),
    "money": lambda _, __, dice: f"{Decimal(dice.randrange(100, 90_000)) / 100}",
    "minus": lambda _, __, dice: f"-{Decimal(dice.randrange(100)) / 100:.2f}",
    "day": lambda _, day, dice: f"{_late(day, dice)}",
    "moment": lambda _, day, dice: f"{_late(day, dice)} {dice.randrange(24):02}:{dice.randrange(60):02}:07",
    "clock": lambda _, __, dice: f"{dice.randrange(24):02}:{dice.randrange(60):02}:07",
    "few": lambda _, __, dice: f"{dice.randrange(5)}",
    "share": lambda _, __, dice: f"{dice.randrange(30)}%",
    "code": lambda _, __, dice: f"SP-{dice.randrange(1000):04}",
    "kind": lambda _, __, dice: dice.choice(["A", "B", "家电"]),
    "person": lambda _, __, dice: dice.choice(["张三", "李四", "Lee"]),
    "phone": lambda _, __, dice: f"138{dice.randrange(10**8):08}",
    "place": lambda _, __, dice: dice.choice(["上海", "广州", "Leeds"]),
    "shop": lambda _, __, dice: dice.choice(["一店", "二店"]),
    "code3": lambda _, __, ___: "CNY",
    "blank": lambda _, __, ___: "",
}  # fmt: skip

# One heading after the other, with what it is: one of our columns, or a kind of ``FILLERS``.
LAYOUTS = {
    "taobao": """
        formula 订单编号, person 买家会员名, total 买家实际支付金额, state 订单状态, message 买家留言,
        person 收货人姓名, region 收货省份, address 收货地址, phone 联系手机, date 订单创建时间,
        moment 订单付款时间, product 宝贝标题, price 商品单价, amount 宝贝数量, tabbed 物流单号, words 备注
    """,
    "jingdong": """
        long 订单号, code 商品ID, product 商品名称, amount 订购数量, words 支付方式, date 下单时间, price 京东价,
        money 订单金额, state 订单状态, region 收货省份, person 客户姓名, message 订单备注, moment 付款确认时间
    """,
    "pinduoduo": """
        product 商品, long 订单号, state 订单状态, total 用户实付金额(元), amount 商品数量(件), region 省,
        place 市, date 订单成交时间, moment 发货时间, code 商品id, kind 商品规格, code 商家编码-SKU维度
    """,
    "youzan": """
        id 订单号, state 订单状态, date 订单创建时间, moment 买家付款时间, product 商品名称, kind 商品规格,
        code 规格编码, price 商品单价, amount 商品数量, total 商品实际成交金额, minus 商品优惠金额,
        region 收货人省份, place 收货人城市, message 买家备注
    """,
    "meituan": """
        count 序号, id 订单编号, date 下单时间, moment 送达时间, product 菜品名称, amount 份数, price 单价,
        minus 活动补贴, money 平台服务费, region 城市, shop 门店名称
    """,
    "kingdee": """
        date 日期, id 单据编号, person 购货单位, code 产品长代码, product 产品名称, kind 规格型号, words 单位,
        amount 实发数量, price 销售单价, total 销售金额, money 成本单价, money 单位成本, person 业务员,
        region 区域
    """,
    "yonyou": """
        id 发货单号, date 单据日期, day 制单日期, person 客户简称, code 存货编码, product 存货名称,
        kind 规格型号, words 主计量, amount 数量, price 含税单价, money 无税单价, money 无税金额, money 税额,
        total 价税合计, share 税率(%), region 地区名称
    """,
    "sap": """
        id Billing Document, date Billing Date, code Material, product Material Description,
        amount Billed Quantity, words Sales unit, total Net Value, code3 Document Currency, region Region,
        money Cost, person Sold-to Party
    """,
    "shopify": """
        id Name, person Email, state Financial Status, moment Paid at, words Fulfillment Status,
        moment Fulfilled at, money Shipping, money Taxes, words Discount Code, money Discount Amount,
        date Created at, amount Lineitem quantity, product Lineitem name, price Lineitem price,
        money Lineitem compare at price, code Lineitem sku, words Billing Name, region Shipping Province,
        phone Billing Phone
    """,
    "square": """
        date Date, clock Time, words Time Zone, kind Category, product Item, amount Qty, kind Price Point Name,
        code SKU, money Gross Sales, minus Discounts, total Net Sales, money Tax, id Transaction ID,
        region Location
    """,
    "superstore": """
        count Row ID, id Order ID, date Order Date, day Ship Date, kind Ship Mode, person Customer Name,
        region Region, place City, place State, kind Category, kind Sub-Category, code Product ID,
        product Product Name, total Sales, amount Quantity, share Discount, money Profit
    """,
    "marketplace": """
        long order-id, date purchase-date, moment payments-date, words buyer-name, code sku,
        product product-name, amount quantity-purchased, code3 currency, price item-price, money item-tax,
        money shipping-price, words ship-service-level, region ship-state, place ship-city, place ship-country
    """,
}  # fmt: skip
_CHINESE = {"taobao", "jingdong", "pinduoduo", "youzan", "meituan", "kingdee", "yonyou"}
# The one to choose, and others that may stand beside it.
RIVALS = {
    "zh": """
        date: 下单时间 > 付款时间, 发货时间, 创建时间
        date: 订单创建时间 > 订单付款时间, 完成时间
        date: 单据日期 > 制单日期, 交货日期, 审核日期
        date: 付款时间 > 发货时间, 创建时间
        product: 商品名称 > 商品编号, 商品规格, 商品类目, 商家编码
        product: 宝贝标题 > 宝贝ID, 颜色分类
        product: 存货名称 > 存货编码, 规格型号
        product: 品名 > 货号, 款号, 型号
        price: 实付单价 > 原价, 单价
        price: 折后价 > 单价, 吊牌价, 成本价
        price: 单价 > 原价, 市场价, 优惠前单价
        price: 含税单价 > 单价, 无税单价
        price: 成交价 > 售价, 促销价
        amount: 数量 > 退货数量, 赠品数量, 库存数量, 发货数量
        amount: 购买数量 > 退款数量, 可用库存
        amount: 销售数量 > 总数, 目标数量
        region: 地区 > 收货省份, 城市, 店铺名称
        region: 省份 > 城市, 区县, 国家
        region: 收货省份 > 收货城市, 门店
        region: 大区 > 省, 市
        total: 实付金额 > 商品金额, 优惠金额, 应付金额, 订单金额, 运费
        total: 小计 > 订单金额, 优惠金额
        total: 价税合计 > 金额, 无税金额, 税额
        total: 金额 > 应收金额, 订单总额, 成本金额
    """,
    "en": """
        date: Order Date > Ship Date, Payment Date, Due Date
        date: Created at > Paid at, Updated at
        date: Date > Invoice Date, Time
        product: Product Name > Product ID, SKU, Product Category
        product: Item > SKU, Item Code, Category
        price: Unit Price > List Price, Unit Cost, Retail Price
        price: Discounted Price > Unit Price, Original Price
        price: Price > MSRP, Item list price
        amount: Quantity > Returned Quantity, Stock, Quantity Shipped
        amount: Units Sold > Target Units, Count
        region: Region > City, Country, Store
        region: Shipping State > Billing State, Shipping City, Shipping Method
        total: Total > Order Total, Tax, Gross Sales
        total: Net Sales > Gross Sales, Total Cost
        total: Line Total > Grand Total, Discount
    """,
}
_KINDS = {"date": "moment", "product": "code", "price": "money", "amount": "few", "region": "place", "total": "money"}


def fill(table: Table, column: str, heading: str, kind: str, dice: Random) -> None:
    """Give a column that is none of ours its heading and its cells."""
    table.names[column] = heading
    for place, row in enumerate(table.rows):
        if row.sale:
            text = FILLERS[kind](place, row.sale.day, dice)
            row.cells[column] = text if table.can_break else " ".join(text.split())


def states(table: Table, column: str, heading: str, dice: Random) -> None:
    """A column of states: rows whose order was undone count, and the reader is told."""
    table.names[column] = heading
    done, undone = _STATES["zh" if table.language in {"zh", "tw"} else "en"]
    for row in table.rows:
        if row.sale:
            bad = dice.random() < 0.2
            row.cells[column] = dice.choice(undone if bad else done)
            table.needs |= {"undone_orders"} if bad and table.header else set()


@defect()
def order_states(table: Table, dice: Random) -> bool:
    """Whether an order was carried through."""
    table.columns.insert(dice.randint(0, len(table.columns)), "state")
    states(table, "state", "订单状态" if table.language in {"zh", "tw"} else "Order Status", dice)
    return True


def _rival(kind: str, heading: str) -> str:
    """The name of a column that is none of ours; it begins with ours that it would stand in for."""
    priced = kind == "money" and ("价" in heading or "price" in heading.lower())
    role = "price" if priced else {"place": "region", "shop": "region", "few": "amount"}.get(kind, "")
    return f"{role}?{heading}"


def _layout(name: str) -> Change:
    def change(table: Table, dice: Random) -> bool:
        if (table.language in {"zh", "tw"}) != (name in _CHINESE):
            return False
        columns = []
        table.needs.discard("undone_orders")  # that of a column which goes
        for entry in LAYOUTS[name].split(","):
            kind, heading = entry.strip().split(" ", 1)
            ours = kind in {*ROLES, "total"}
            column = kind if ours else _rival(kind, heading)
            columns.append(column)
            if kind == "code3":
                table.params["currency"] = "CNY"
            if ours:
                table.names[column] = heading
            elif kind == "state":
                states(table, column, heading, dice)
            else:
                fill(table, column, heading, kind, dice)
        table.columns = columns
        table.by_total = "price" not in columns
        table.needs |= {"no_price_column"} if table.by_total else set()
        return True

    return change


for _name in LAYOUTS:
    named(f"export_{_name}", _layout(_name), "export", 0.5)


@defect(weight=2)
def rivals(table: Table, dice: Random) -> bool:
    """Several columns of a kind, of which one is what a manager would call the sales."""
    lines = [line.strip() for line in RIVALS["zh" if table.language in {"zh", "tw"} else "en"].strip().split("\n")]
    for role in dice.sample([role for role in (*ROLES, "total") if role in table.columns], dice.randint(1, 2)):
        chosen, others = dice.choice([line for line in lines if line.startswith(role)]).split(": ")[1].split(" > ")
        table.names[role] = chosen
        for heading in dice.sample(others.split(", "), dice.randint(1, min(2, others.count(",") + 1))):
            if heading not in table.names.values():
                table.columns.insert(dice.randint(0, len(table.columns)), f"{role}?{heading}")
                fill(table, f"{role}?{heading}", heading, _KINDS[role], dice)
    return True
