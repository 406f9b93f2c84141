"""Tables of the benchmark page, from the JSON of runs: no figure is typed by hand."""

import json
from math import isfinite
from pathlib import Path


def setup(app):
    for run in sorted(Path(app.srcdir, "benchmarks").glob("*.json")):
        page = Path(app.srcdir, "tables", f"{run.stem}.md")
        page.parent.mkdir(exist_ok=True)
        text = as_markdown(json.loads(run.read_text("utf-8")))
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
    return {"parallel_read_safe": True}


def as_markdown(run):
    versions = ", ".join(f"{name} {of}" for name, of in run["versions"].items())
    shapes = ", ".join(f"{n} ({a} x {b})" for n, (a, b) in run["shapes"].items())
    parts = [f"`{run['command']}`", f"{versions}. {shapes}."]
    for title, table in run["tables"].items():
        parts += [f"**{title}**", as_table(**table)]
    for reason, rows in run["skipped"].items():
        parts.append(f"Not measured, on some table: {', '.join(rows)}. `{reason}`")
    if failed := [claim for claim in run["claims"] if not claim["holds"]]:
        parts.append(f"Of {len(run['claims'])} claims these do not hold:")
        parts.append("\n".join(f"- {as_line(**claim)}" for claim in failed))
    elif run["claims"]:
        parts.append(f"All {len(run['claims'])} claims hold.")
    return "\n\n".join(parts) + "\n"


def as_table(columns, better, rows):
    """Write rows of figures; the best that is open to a user is bold."""
    open_to_users = [row for row in rows if not row.startswith(("oracle", "worst"))]
    open_to_users = [row for row in open_to_users if "hindsight" not in row]
    best = []
    for j, way in enumerate(better):
        known = [rows[r][j] for r in open_to_users if rows[r][j] is not None]
        known = [value for value in known if isfinite(value)]
        best.append({"less": min, "more": max, None: lambda _: None}[way](known))
    digits = [places(rows, j) for j in range(len(columns))]
    lines = [
        "| | " + " | ".join(columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, values in rows.items():
        cells = [
            cell(value, digits[j], name in open_to_users and value == best[j])
            for j, value in enumerate(values)
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return '<div class="figures">\n\n' + "\n".join(lines) + "\n\n</div>"


def places(rows, column):
    largest = max(abs(v[column]) for v in rows.values() if v[column] is not None)
    return 3 if largest < 10 else 2 if largest < 1000 else 0


def cell(value, digits, is_best):
    if value is None or not isfinite(value):
        return "-"
    text = f"{value:.{digits}f}"
    return f"**{text}**" if is_best else text


def as_line(text, value, bound, where="", **_):
    return f"{text}: {value:.3f}, bound {bound:.3f}" + (f" ({where})" if where else "")
