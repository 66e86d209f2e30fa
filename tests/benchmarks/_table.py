"""docs/bench.md from the record of benchmarks: `make bench` ends with it."""

import ast
import json
import sys
from itertools import groupby
from pathlib import Path

from _record import RECORD, WANTED

PAGE = Path("docs/bench.md")
HEAD = """# Speed

Made by `make bench`; not edited by hand. Each value stands beside a baseline that was measured in the same run on the
same machine, or beside {wanted}. The ratio says how many times as good as the baseline it is: below 1 is worse. Ratios
travel better to other machines than values do.
"""


def page(kept: dict) -> str:
    """Markdown of a record."""
    machine = [f"- {key}: {text}" for key, text in kept["machine"].items()]
    dates = sorted({each["date"] for each in kept["rows"]})
    parts = [HEAD.format(wanted=WANTED), "\n".join([*machine, f"- date: {', '.join(dates)}"])]
    for group, rows in groupby(kept["rows"], lambda each: each["group"]):
        script = Path(__file__).with_name(f"{group}.py")
        says = (ast.get_docstring(ast.parse(script.read_text("utf-8"))) or "").partition("\n\n")[0].replace("\n", " ")
        lines = ["| what | value | baseline | against | ratio |", "|---|---:|---:|---|---:|"]
        parts.append("\n".join([f"\n## {group}\n", f"{says}\n", *lines, *map(_line, rows)]))
    return "\n".join(parts) + "\n"


def _line(each: dict) -> str:
    unit = "" if each["unit"] == "1" else f" {each['unit']}"
    value, baseline, ratio = (_short(each[key]) for key in ("value", "baseline", "ratio"))
    return f"| {each['name']} | {value}{unit} | {baseline}{unit} | {each['against']} | {ratio} |"


def _short(number: float | None) -> str:
    """Three digits, and no exponent."""
    if number is None:
        return ""
    if abs(number) >= 100:
        return f"{float(f'{number:.3g}'):,.0f}"
    return f"{number:.3g}" if abs(number) >= 1e-4 or number == 0 else f"{number:.1e}"


def main() -> None:
    if not RECORD.exists():
        sys.exit(f"{RECORD}: expected the record of benchmarks, got none; `make bench` writes it")
    PAGE.write_text(page(json.loads(RECORD.read_text("utf-8"))), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
