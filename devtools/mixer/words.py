"""What tables say: names of columns, products and regions in several languages."""

HEADINGS = {
    "zh": [
        ("日期", "产品", "单价", "数量", "地区"),
        ("下单时间", "商品名称", "售价", "件数", "省份"),
        ("销售日期", "品名", "销售单价", "销售数量", "销售区域"),
        ("订单日期", "商品", "成交价", "购买数量", "大区"),
        ("交易时间", "产品名称", "价格", "销量", "城市"),
        ("riqi", "chanpin", "danjia", "shuliang", "diqu"),
        ("Date", "Product", "Price", "Amount", "Region"),
    ],
    "en": [
        ("Date", "Product", "Price", "Amount", "Region"),
        ("Order Date", "Product Name", "Unit Price", "Quantity", "Area"),
        ("order_date", "item", "unit_price", "qty", "state"),
        ("Transaction Date", "Item Name", "Selling Price", "Units Sold", "Territory"),
        ("OrderDate", "ProductName", "UnitPrice", "Qty", "City"),
    ],
    "tw": [("日期", "產品名稱", "單價", "數量", "地區"), ("訂單日期", "商品名稱", "售價", "件數", "區域")],
    "ja": [("日付", "商品", "単価", "数量", "地域"), ("Date", "Product", "Price", "Quantity", "Region")],
}
TOTALS = {
    "zh": ["金额", "销售额", "小计", "合计金额", "总价", "实付金额"],
    "en": ["Total", "Line Total", "Sales", "Revenue", "Subtotal"],
    "tw": ["金額", "銷售額", "小計"],
    "ja": ["金額", "Total"],
}
# Columns that must not be taken for ours: heading, and the kind of what stands below.
OTHERS = {
    "zh": [
        ("订单号", "id"), ("序号", "count"), ("备注", "words"), ("原价", "money"), ("成本价", "money"),
        ("发货日期", "day"), ("退货数量", "few"), ("库存数量", "few"), ("运费", "money"), ("折扣", "share"),
        ("产品编号", "code"), ("类别", "kind"), ("销售员", "person"), ("税额", "money"), ("客户电话", "phone"),
        ("会员积分", "few"), ("目标销量", "few"), ("毛利", "money"), ("打印日期", "day"), ("进货价", "money"),
        ("生产日期", "day"), ("赠品数量", "few"), ("上月销量", "few"), ("优惠金额", "money"), ("客户名称", "person"),
    ],
    "en": [
        ("Order ID", "id"), ("No.", "count"), ("Notes", "words"), ("List Price", "money"), ("Cost", "money"),
        ("Ship Date", "day"), ("Returned Qty", "few"), ("Stock", "few"), ("Shipping", "money"), ("Discount", "share"),
        ("SKU", "code"), ("Category", "kind"), ("Sales Rep", "person"), ("Tax", "money"), ("Phone", "phone"),
        ("Target Qty", "few"), ("Profit", "money"), ("Due Date", "day"), ("Unit Cost", "money"), ("Customer", "person"),
        ("Customer ID", "id"), ("Days to Ship", "few"), ("Price Category", "kind"), ("Product ID", "code"),
    ],
}  # fmt: skip
NAMES = {
    "zh": (
        ["华为手机", "小米电视", "海尔冰箱", "格力空调", "索尼耳机", "美的电饭煲"],
        ["华东", "华北", "华南", "西南"],
    ),
    "en": (["Widget", "Café machine", "Crème brûlée", "Ground coffee", "Señor Taco"], ["North", "South", "São Paulo"]),
    "tw": (["華碩筆電", "鳳梨酥", "珍珠奶茶", "電視機", "腳踏車"], ["臺北市", "高雄市", "新竹縣"]),
    "ja": (["コーヒー豆", "テレビ", "冷蔵庫", "おにぎり", "ノート"], ["東京", "大阪", "北海道"]),
}
# Products that look like something else.
TRAPS = {
    "zh": [
        "总计算器", "小计时器", "合计算盘", "累计积分卡", "备注本", "说明书架", "审核印章", "注音符号卡", "日期章",
        "产品手册", "5号电池", "7-Up 汽水", "2026款手机", "1.5L 可乐", "A4纸 500张", "24小时便当", "第1页相册",
        "小计", "单价牌", "数量词卡片", "以上两件装", "完美日记", "结束语贺卡", "元宵", "万用表", "共计算机",
    ],
    "en": [
        "Total Gym", "Total 90 boots", "Colgate Total", "Sum 41 CD", "Note 20", "Date cake", "Summary pad", "3M tape",
        "7-Up", "WD-40", "Price tag", "2026 calendar", "Page 3 frame", "N95 mask", "1/2 inch bolt", "May flowers",
        "Region 1 DVD", "Endive", "Reporter pen", "Null modem", "Nantucket tea", "Average Joe mug",
    ],
}  # fmt: skip
# Names that are markup or formulas somewhere. The product "小计" above is a label of a total: see ``hostile_names``.
HOSTILE = (
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(A1:A9)", "+86 138", "-5° cooler", "<script>alert(1)</script>", "a|b|c",
    "[点我](http://evil)", "**bold**", "```js", "{{name}}", "{", "}", "\\", "a\\,b", "&amp;", "<b>", "%s%d", "'; --",
    "x'y", "#1 hit", "# heading", "10%", "...", "?", "😀", "A" * 120, "a  b", "\u202eabc", "$100 card",
)  # fmt: skip
QUOTED = ('27" TV', 'x "y" z', '"all"', 'say ""', "6' pole", "a, b", "a; b", "a\tb", "a，b", '55", black', '"', '",')
UNITS = {
    "zh": ["台", "件", "个", "箱", " 件", "盒", "kg"],
    "en": [" pcs", "pcs", " kg", " units", "ea"],
    "tw": ["台", "個", "箱"],
    "ja": ["個", "台", "本"],
}
