"""The reference service's algorithm: pandas reads the file, groupby sums up the last day.

Run as a file of its own, with any Python that has pandas: ``python reference.py <how> <file>``, where ``how`` is
``stringio`` (the whole text in memory, as the reference has it), ``bytesio``, or ``pyarrow`` (its CSV engine).
Prints the figures, the versions and its own peak of memory as JSON.
"""

import io
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd


def read(how: str, path: Path) -> pd.DataFrame:
    """The file as a frame."""
    if how == "stringio":
        return pd.read_csv(io.StringIO(path.read_bytes().decode("utf-8")))
    if how == "bytesio":
        return pd.read_csv(io.BytesIO(path.read_bytes()))
    return pd.read_csv(io.BytesIO(path.read_bytes()), engine="pyarrow")


def analyze(frame: pd.DataFrame) -> dict[str, Any]:
    """The last day: totals, the five best products, regions with their share, price ranges."""
    frame["Date"] = pd.to_datetime(frame["Date"])
    day = frame[frame["Date"] == frame["Date"].max()].copy()
    day["Sales"] = day["Price"] * day["Amount"]
    total = float(day["Sales"].sum())
    products = day.groupby("Product").agg({"Sales": "sum", "Amount": "sum", "Price": "mean"})
    regions = day.groupby("Region").agg({"Sales": "sum", "Amount": "sum"}).sort_values("Sales", ascending=False)
    day["Range"] = pd.cut(
        day["Price"],
        bins=[0, 100, 500, 1000, 5000, float("inf")],
        labels=["0-100", "100-500", "500-1000", "1000-5000", "5000+"],
    )
    ranges = day.groupby("Range", observed=False).agg({"Sales": "sum", "Amount": "sum"})
    return {
        "sales": total,
        "orders": len(day),
        "quantity": float(day["Amount"].sum()),
        "average": total / len(day),
        "products": products.sort_values("Sales", ascending=False).head(5).reset_index().to_dict("records"),
        "regions": {name: round(float(row["Sales"]) / total * 100, 2) for name, row in regions.iterrows()},
        "ranges": ranges.reset_index().astype({"Range": str}).to_dict("records"),
    }


def main() -> None:
    """Read, analyse, print."""
    how, path = sys.argv[1:]
    figures = analyze(read(how, Path(path)))
    try:
        pyarrow = version("pyarrow")
    except PackageNotFoundError:
        pyarrow = ""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    print(json.dumps(figures | {"pandas": pd.__version__, "pyarrow": pyarrow, "peak_kb": peak}))


if __name__ == "__main__":
    main()
