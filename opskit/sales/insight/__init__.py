"""What a sales manager wants to know, from small tables of exact sums.

The order of the calls: ``Calendar`` from the sums of each day → ``focus`` → ``bases`` → ``compare`` → ``fairest``,
whose base period and the focus' are summed by product and (region, product) → ``product_drivers``, ``region_drivers``;
``odd_days``, ``odd_names``, ``pareto``, ``refunds``, ``new_and_lost``, ``trend``, ``forecast`` in any order; then
``findings`` says it. Nothing here reads a file, a clock or chance: the same tables give the same bytes.
"""

from opskit.sales.insight.anomalies import Anomaly, Odd, history, odd_days, odd_names
from opskit.sales.insight.calendars import Calendar, Period
from opskit.sales.insight.comparison import Comparison, compare, fairest, flaws
from opskit.sales.insight.drivers import Driver, Drivers, product_drivers, region_drivers
from opskit.sales.insight.findings import Study, against, findings
from opskit.sales.insight.forecast import ForecastDay, forecast
from opskit.sales.insight.level import Level, Measure
from opskit.sales.insight.movers import Life, NewAndLost, new_and_lost
from opskit.sales.insight.pareto import Pareto, pareto
from opskit.sales.insight.periods import Base, CompareWith, Focus, Kind, bases, focus
from opskit.sales.insight.refunds import Refunds, refunds
from opskit.sales.insight.said import Said, said, worded
from opskit.sales.insight.sums import Days, Sums
from opskit.sales.insight.trend import Trend, trend

__all__ = [
    "Anomaly",
    "Base",
    "Calendar",
    "CompareWith",
    "Comparison",
    "Days",
    "Driver",
    "Drivers",
    "Focus",
    "ForecastDay",
    "Kind",
    "Level",
    "Life",
    "Measure",
    "NewAndLost",
    "Odd",
    "Pareto",
    "Period",
    "Refunds",
    "Said",
    "Study",
    "Sums",
    "Trend",
    "against",
    "bases",
    "compare",
    "fairest",
    "findings",
    "flaws",
    "focus",
    "forecast",
    "history",
    "new_and_lost",
    "odd_days",
    "odd_names",
    "pareto",
    "product_drivers",
    "refunds",
    "region_drivers",
    "said",
    "trend",
    "worded",
]
