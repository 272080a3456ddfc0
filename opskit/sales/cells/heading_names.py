"""What tables call their columns."""

import re
from enum import StrEnum


class Column(StrEnum):
    """The columns that an analysis reads."""

    DATE = "date"
    PRODUCT = "product"
    PRICE = "price"
    AMOUNT = "amount"
    REGION = "region"
    TOTAL = "total"
    CURRENCY = "currency"


# Names by how surely they mean their column: English ones between commas, the others between spaces.
# Spaces, case and accents do not count.
#
# Where a table has several columns of a kind, the one with the higher score is read; of equals, the first. The
# scores follow what a sales manager calls the sales:
# - date: the day of the order, then that of the payment, then when a record was made, then when goods were sent;
# - product: its name, then what may be a name or a kind of goods, then a code;
# - price: what the customer paid for one, after discounts and with tax; then the price; then other price lists;
#   what it was before a discount only where there is nothing else;
# - amount: what was ordered or sold, then what was sent;
# - region: the region or province, then the city, then the country, then the shop; where goods went before who paid;
# - total: what the customer paid for the line; then the line's total; then what was asked for or is before discounts;
#   the total of a whole order last, for it may stand on each of the order's lines.
NAMES: dict[Column, dict[int, str]] = {
    Column.DATE: {
        100: """
            date, sale date, sales date, order date, transaction date, date of sale, trans date, day, riqi
            xiaoshouriqi, xiadanriqi, xiadanshijian, dingdanriqi, jiaoyiriqi, datum, fecha
            日期 销售日期 交易日期 订单日期 下单日期 下单时间 订单时间 交易时间 销售时间 成交日期 成交时间 业务日期
            营业日期 年月日 订购日期 订货日期 日付 날짜 订单创建时间 订单创建日期 订单提交时间 订单生成时间
            订单成交时间 拍下时间
            date sold, sold date, sold on, verkaufsdatum, bestelldatum, auftragsdatum, fecha de venta, fecha de pedido
            date de vente, date de commande, date commande, data da venda, data do pedido, data vendita
            売上日 売上日付 販売日 販売日時 注文日 注文日時 受注日 取引日 取引日時 購入日
            일자 판매일 판매일자 주문일 주문일자 주문일시 거래일 거래일자
        """,
        90: """
            datetime, date time, timestamp, time, order time, sale time, purchase date, invoice date, order datetime
            billing date, shijian
            时间 日期时间 单据日期 开单日期 开单时间 记账日期 统计日期 购买日期 购买时间 账期 日 交易日 营业日 结账时间
            结账日期
            rechnungsdatum, belegdatum, 日時, 伝票日付, 결제일
        """,
        80: """
            付款日期 付款时间 支付日期 支付时间 订单付款时间 买家付款时间 订单支付时间 收款时间 收款日期
        """,
        65: """
            created, created at, create time, created time, create date, creation date, ordered at
            创建时间 创建日期
        """,
        60: """
            posting date
            开票日期 出库日期 出库时间 制单日期 结算日期
            data
        """,
        50: """
            paid at, payment date, payment time, payments date
            完成时间 确认日期 交易完成时间 订单完成时间
        """,
        40: """
            ship date, shipping date, ship time, delivery date, updated at, rq, dt
            发货日期 发货时间 收货时间 收货日期 更新时间
        """,
    },
    Column.PRODUCT: {
        100: """
            product name, item name, goods name, product title, item title, lineitem name
            pinming, shangpinmingcheng, chanpinmingcheng
            品名 商品名称 产品名称 商品名 产品名 货品名称 物品名称 宝贝名称 宝贝标题 商品标题 菜品名称 存货名称
            artikelbezeichnung, artikelname, produktname, nom du produit, nombre del producto, nome do produto
            製品名 상품명 제품명 품목명
        """,
        95: """
            product, item, goods, products, items, shangpin, chanpin, huopin, producto, produkt, artikel
            商品 产品 货品 货物 货物名称 物品 宝贝 品项 菜品 품목 상품
            produit, prodotto, produto, artículo, articolo, 제품, 품명
        """,
        90: """
            sku name, article, merchandise, product description, material description, mingcheng
            名称 货名 物料名称 物料描述 物料 药品名称 图书名称 书名 菜名 项目名称 商品信息
            item sold, product sold, désignation, bezeichnung, 製品
        """,
        60: """
            name, title, description, sku, item description, stock item, material, model
            型号 商品型号 产品型号 标题 项目 品目 款式 款名
            particulars, libellé, descripción, descrição, descrizione
        """,
        40: """
            product line, product code, product id, item code, item id, asin, lineitem sku, spmc, cpmc, sp, cp
            商品编码 商品编号 产品编号 产品编码 货号 款号 产品id 商品id 商品sku 商品货号 存货编码 物料编码
        """,
    },
    Column.PRICE: {
        97: """
            unit price, price each, price per unit, unitprice
        """,
        100: """
            price paid, actual price, discounted price, final price
            成交价 成交单价 成交价格 实际成交价 实付单价 实付价 实收单价 实际单价 实售价 实际售价 到手价 折后价 折后单价
            优惠后单价 优惠后价格 含税单价 含税价
            商品优惠后价格 商品优惠后单价 商品折后价 商品成交单价 税込単価 税込価格
        """,
        95: """
            price, selling price, sale price, sales price, item price, lineitem price, danjia, shoujia
            jiage, xiaoshoudanjia, precio, preis
            单价 售价 价格 销售单价 商品单价 产品单价 销售价 销售价格 商品价格 产品价格 商品售价 出售价 단가 가격
            einzelpreis, stückpreis, verkaufspreis, prix unitaire, prix, prix de vente, precio unitario, precio de venta
            preço, preço unitário, valor unitário, prezzo, prezzo unitario
            商品销售价 販売単価 販売価格 売価 판매가 판매단가 판매가격
        """,
        90: """
            net price
            促销价 活动价 单品价格 京东价 淘宝价 天猫价 拼单价 团购价
        """,
        60: """
            average price, avg price, retail price, price unit, rate, u/p
            均价 平均单价 零售价 零售单价 会员价 批发价 批发单价 供货价 结算价 结算单价 不含税单价 无税单价
        """,
        30: """
            list price, original price, regular price, compare at price, msrp, dj, jg
            原价 原单价 商品原价 优惠前单价 市场价 吊牌价 标价 标准价 划线价 定价 建议零售价
        """,
    },
    Column.AMOUNT: {
        100: """
            quantity, qty, units, units sold, quantity ordered, quantity sold, qty sold, order quantity
            quantity purchased, sales quantity, lineitem quantity
            shuliang, jianshu, xiaoliang, xiaoshoushuliang, cantidad, menge
            数量 件数 销量 销售数量 购买数量 个数 商品数量 产品数量 宝贝数量 成交数量 订购数量 订货数量 下单数量
            销售件数 销售量 卖出数量 수량
            number of units sold, no of units sold, items sold, anzahl, stückzahl, quantité, qté, unidades
            quantidade, qtd, qtde, quantità, 個数 販売数 販売数量 販売個数 注文数 注文数量 판매수량 주문수량 판매량
        """,
        90: """
            qty ordered, order qty, sales qty, no of units, pieces, pcs, billed quantity
            台数 箱数 瓶数 份数 包数 盒数 只数 条数 数目 实发数量 出库数量 发货数量
        """,
        70: """
            amount
        """,
        60: """
            count, sold, number of units, number sold, volume, sales volume, quantity total, total quantity
            total units
            数 总数量 数量合计 总件数
        """,
        40: """
            sl, num
            总数
        """,
    },
    Column.REGION: {
        100: """
            region, area, province, territory, sales region, sales area, regions, diqu, quyu, shengfen, daqu
            xiaoshouquyu, región, gebiet
            地区 区域 省份 大区 销售区域 销售地区 所在地区 所属区域 所属地区 区域名称 地区名称 销售大区 지역 地域
            region name, area name, sales region name, bundesland, région, regione, região
            エリア 地域名 지역명
        """,
        90: """
            state, zone, district, shipping province, shipping state, ship province, ship state, ship region, sheng
            省 省市 城区 地域 片区 省区 收货地区 收货省份 收货人省份 客户地区 客户区域 客户省份 配送区域 所在省
            province name, state name, state code, provincia, 都道府県 县市 省份名称 所在省份 시도
        """,
        80: """
            city, chengshi
            城市 市 所在城市
            city name, ville, ciudad, cidade, città, stadt, 도시
        """,
        60: """
            country, market, location, county, place, nation, sales territory, state province, shipping city, ship city
            billing province, billing state
            国家 市场 收货城市 客户城市 所在地 区 区县 地点
            country name, ship to state, ship to province, ship to city
        """,
        40: """
            store, store name, shop, branch, outlet, shipping country, ship country, sales office, dq, qy, dist
            门店 门店名称 店铺 店铺名称 店名 分店 分公司 网点
            filiale, magasin, tienda, loja, negozio, ship to country, 店舗 店舗名 支店 매장 지점
        """,
    },
    Column.TOTAL: {
        100: """
            amount paid, paid amount, net sales
            实付金额 实付款 实付 实收金额 实收 实收款 实付总额 付款金额 支付金额 成交金额 成交额 折后金额 优惠后金额
            价税合计 实际支付金额 买家实际支付金额 用户实付金额 顾客实付 用户实付 商品实付 实际成交金额 商品实际成交金额
        """,
        95: """
            total, line total, total price, total amount, total sales, sales, sales amount, revenue, subtotal
            sub total, jine, xiaoshoue, xiaoshoujine, zongjia, zongjine, zonge, heji, xiaoji, importe, umsatz
            金额 销售额 小计 总价 总额 总金额 销售金额 合计 合计金额 销售总额 交易金额 商品金额 营业额 금액 매출 売上
            gesamtpreis, gesamtbetrag, montant total, importe total, valor total, totale, importo totale
            chiffre d'affaires
            売上金額 売上高 販売金額 매출액 판매금액 합계 합계금액 총액 총금액 결제금액
        """,
        90: """
            gmv, turnover, sale amount, net value
            收款金额 小计金额 金额小计 金额合计 总计 总销售额 营收
        """,
        70: """
            gross sales, net amount, gross amount, net revenue, extended price, value, sum
            收入 应收金额 应付金额 含税金额 销售收入 买家应付货款
            total ttc, montant ttc, total ht, montant ht, montant, betrag, importo
        """,
        60: """
            amount, amt, sales amt, payment, paid, sales value, total revenue, total value, grand total
            order total, order amount
            不含税金额 未税金额 无税金额 订单金额 订单总额 订单总价 订单总金额 订单实付金额
        """,
        40: """
            je, xse
        """,
    },
    Column.CURRENCY: {
        100: """
            currency, currency code, bizhong, huobi
            币种 货币 币别 货币单位 货币类型 结算币种 币种代码 통화 通货
        """,
        60: """
            curr, cur, ccy
            币
        """,
    },
}

# A heading that holds one of these is another column, unless it stands above as a whole.
OTHERS_HAN = re.compile(
    "编号|编码|代码|(?<!型)号|客单|类别|分类|类目|类型|单位|成本|进价|进货|采购|折扣|优惠|立减|税|运费|邮费|退|库存|结存|赠|生日|出生|有效|到期|截止|截至"
    "|打印|导出|录入|登录|注册|审核|交货|预约|入库|原单?价|划线|吊牌|市场价|批发|供货|结算价|补贴|红包|生产|备注|说明|目标|计划|预算|预测|毛利|利润|佣金|积分|预计|同比|环比|占比|比例|率|排名|经理|链接|图片|状态|方式|上期|去年|上月|昨日"
)
_OTHERS_LATIN = """
    id code no num number category type cost costs discount coupon tax vat freight shipping refund refunds refunded
    return returns returned stock inventory birth expiry expiration due target plan budget forecast profit margin
    original list regular compare suggested msrp gift free tip tips fee fees
    commission rank ratio rate percent pct share status method mode previous prior last manager rep person image url
"""
OTHERS_LATIN = frozenset(_OTHERS_LATIN.split())
# "Total incl. tax" is no tax.
TAXED = re.compile(
    r"不?含税|税[前后]|未税|\b(?:incl?|excl?|including|excluding|ex|with|without|before|after)\b[\s.]*(?:tax|vat)\b",
    re.IGNORECASE,
)
# In brackets behind a name they make another column of it: "数量(赠品)".
OTHERS_IN_BRACKETS = re.compile(
    "成本|进价|采购|折扣|优惠金额|退|库存|赠|目标|计划|预算|预测|return|refund|stock|free|cost|target"
)
