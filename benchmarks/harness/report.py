"""Results, as tables, JSON and a plot."""
import json

NOTE = """Ratios (×) say how many times better the first program of a table is, taken within each round: above 1 it needs less, or does more. ≈ stands behind those that
differ from 1 by less than the noise: in some round the other was the better. Figures are medians of the rounds; in brackets the least and the
greatest.
"""
RATIO_TITLES = {"cpu_ns": "CPU", "requests_per_second": "requests/s", "per_second": "requests/s", "p99_us": "p99", "resident_mb": "memory",
                "start_ms": "time", "cpu_ms": "CPU"}


def ratio(result, figure):
    if f"{figure}_ratio" not in result:
        return ""
    return f"{result[f'{figure}_ratio']:.2f}" + (" ≈" if result[f"{figure}_ratio_is_noise"] else "")


def table(section, row, results):
    """One row's results in Markdown. A column that has nothing to say is left out."""
    cells = {title: [cell(result) for result in results.values()] for title, cell in section.columns}
    cells |= {f"× {RATIO_TITLES[figure]}": [ratio(result, figure) for result in results.values()] for figure in section.better}
    cells = {title: column for title, column in cells.items() if any(column)}
    lines = [f"### {row}", "", "| | " + " | ".join(cells) + " |", "|---" * (len(cells) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(column[i] for column in cells.values()) + " |" for i, name in enumerate(results)]
    return "\n".join(lines) + "\n"


def plot(results, path):
    import matplotlib
    matplotlib.use("svg")
    from matplotlib import pyplot
    rows = [(section, row, programs) for section, of_section in results.items() for row, programs in of_section.items()]
    figure, axes = pyplot.subplots(len(rows), 1, figsize=(9, sum(0.8 + 0.22 * len(programs) for _, _, programs in rows)), squeeze=False,
                                   height_ratios=[0.8 + 0.22 * len(programs) for _, _, programs in rows])
    for axis, (section, row, programs) in zip(axes.flat, rows):
        names = list(reversed(programs))
        values = [programs[name][section.plotted] for name in names]
        around = [[value - programs[name][f"{section.plotted}_min"] for name, value in zip(names, values)],
                  [programs[name][f"{section.plotted}_max"] - value for name, value in zip(names, values)]]
        axis.barh(names, values, xerr=around, ecolor="gray", color=["tab:orange" if name == section.reference else "tab:blue" for name in names])
        axis.set_title(f"{section.title}, {row}: {section.plotted_title}", fontsize=9)
        axis.tick_params(labelsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def write(results, folder):
    """All results so far."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps({section.option: rows for section, rows in results.items()}, indent=1))
    (folder / "results.md").write_text("\n".join(
        f"## {section.title}\n\n" + "\n".join(table(section, row, programs) for row, programs in rows.items())
        for section, rows in results.items()) + "\n" + NOTE)
    plot(results, folder / "results.svg")
