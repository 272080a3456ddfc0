"""Names of regions that nobody takes for anything else."""

import re

_REGIONS = re.compile(
    r"[东西南北中華华][部区區北南东西中東]|[东西][北南部]|.{0,8}[省市区區县縣州道府]|"
    r"北京|上海|天津|重庆|河[北南]|山[西东東]|湖[北南]|广[东西]|廣[東西]|海南|云南|贵州|四川|浙江|江[苏西]|安徽|福建|辽宁|吉林|黑龙江|陕西|甘肃|青海|"
    r"内蒙古|宁夏|新疆|西藏|香港|澳门|台湾|臺灣|广州|深圳|杭州|成都|武汉|南京|"
    r"(?:north|south|east|west|central|midwest|emea|apac)\w*(?:[ -]\w+)?",
    re.IGNORECASE,
)


def is_region(text: str) -> bool:
    """Whether ``text`` is the name of a part of a country, of China's provinces and largest cities, or ends as one."""
    return _REGIONS.fullmatch(text) is not None
