"""Results in, a Markdown page and the same as JSON out."""

import json
from dataclasses import asdict
from pathlib import Path

from training.benchmark.run import Results
from training.benchmark.sets import Line

JSON_NAME, PAGE_NAME = "{version}.json", "README.md"
INTRODUCTION = """# Content that it was not made for

Version {version}, read on public sets of posts, comments and requests. `python -m training benchmark --data FOLDER`
measures them again; brackets hold 95% bootstrap intervals. *Zero-shot*: the version's own chances, by its own
thresholds. *With a head*: logistic regression on the version's vectors and n-grams, fitted on the set's own training
rows. *Published*: as the sets' makers or others report it, on what they had.

The version was trained on:

{trained_on}

A set whose training rows are among these is not new to it, its test rows are; no row of HateCheck, Multilingual
HateCheck, XSTest, SimpleSafetyTests, AILuminate, OpenAI's moderation set or Toxic Spans was trained on.
"""


def write(results: Results, folder: Path) -> Path:
    """Write both files into a folder; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {**asdict(results), "lines": [asdict(line) for line in results.lines]}
    (folder / JSON_NAME.format(version=results.version)).write_text(
        json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    page = folder / PAGE_NAME
    page.write_text(markdown(results), encoding="utf-8")
    return page


def markdown(results: Results) -> str:
    """Return the page: a table of all sets, then HateCheck by functionality."""
    by_kind = [line for line in results.lines if _is_functionality(line)]
    main = [line for line in results.lines if not _is_functionality(line)]
    trained_on = "\n".join(f"- {line}" for line in results.trained_on)
    parts = [INTRODUCTION.format(version=results.version, trained_on=trained_on), _table(main)]
    if by_kind:
        parts += ["## HateCheck by functionality\n", _kinds(by_kind)]
    if results.missing:
        parts.append("Not there when this was measured: " + ", ".join(results.missing) + ".\n")
    return "\n".join(parts)


def _is_functionality(line: Line) -> bool:
    return line.set.startswith("HateCheck") and line.figure == "accuracy"


def _table(lines: list[Line]) -> str:
    rows = ["| set | question | how | n | figure | | published |", f"|{' --- |' * 7}"]
    rows += [
        f"| {line.set} | {line.question} | {line.how} | {line.n:,} | {line.figure} | {line.value} | {line.published} |"
        for line in lines
    ]
    return "\n".join(rows) + "\n"


def _kinds(lines: list[Line]) -> str:
    sets = sorted({line.set for line in lines})
    rows = [f"| functionality | {' | '.join(sets)} |", f"|{' --- |' * (1 + len(sets))}"]
    for kind in sorted({line.question for line in lines}):
        found = {line.set: f"{line.value.value:.2f} ({line.n})" for line in lines if line.question == kind}
        rows.append(f"| {kind} | {' | '.join(found.get(name, '') for name in sets)} |")
    return "\n".join(rows) + "\n"
