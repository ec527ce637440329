"""The labelled sentences in, how much personal data is found in them and how often something else is taken for it, out.

``python benchmarks/personal_data.py`` prints the figures of docs/personal-data.md; ``--beside FILE`` measures another
version of ``riskmodel/redaction.py`` that has ``_spans(text)``, as it was before kinds.
"""

import argparse
import importlib.util
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from riskmodel.redaction import find

SENTENCES = Path(__file__).parent.parent / "data" / "personal-data" / "sentences.jsonl"
_MARK = re.compile(r"\[\[(?P<kind>[^|\]]+)\|(?P<words>.*?)\]\](?!\])")


@dataclass(frozen=True)
class Stretch:
    """A stretch of a sentence with the kind of what stands there."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True)
class Sentence:
    """A labelled sentence; ``part``: ``tune``, which the rules were mended on, or ``test``, which they were not."""

    id: str
    part: str
    text: str
    labelled: tuple[Stretch, ...]


@dataclass(frozen=True)
class Figures:
    """What was found in some sentences. ``missed`` and ``wrong`` hold the sentence's id, kind and words."""

    labelled: int
    covered: int
    named: int
    found: int
    right: int
    untouched: int
    without: int
    missed: tuple[str, ...]
    wrong: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Share of the labelled stretches that are found whole, whatever kind they are called."""
        return self.covered / self.labelled

    @property
    def named_recall(self) -> float:
        """Share of the labelled stretches that are found whole and called by their kind."""
        return self.named / self.labelled

    @property
    def precision(self) -> float:
        """Share of the stretches found that are labelled."""
        return self.right / self.found


def read(path: Path = SENTENCES) -> list[Sentence]:
    """Return the labelled sentences; personal data is marked ``[[kind|words]]`` in the file."""
    return [_sentence(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def measure(sentences: Iterable[Sentence], finder: Callable[[str], Iterable[Stretch]]) -> Figures:
    """Compare what a finder finds with what is labelled."""
    counts: Counter[str] = Counter()
    missed, wrong = [], []
    for sentence in sentences:
        found = list(finder(sentence.text))
        for stretch in sentence.labelled:
            counts["labelled"] += 1
            over = [one for one in found if one.start < stretch.end and one.end > stretch.start]
            covered = _covered(sentence.text, stretch, over)
            counts["covered"] += covered
            counts["named"] += covered and {one.kind for one in over} == {stretch.kind}
            if not covered:
                missed.append(_shown(sentence, stretch))
        for one in found:
            right = any(stretch.start < one.end and stretch.end > one.start for stretch in sentence.labelled)
            counts["found"] += 1
            counts["right"] += right
            if not right:
                wrong.append(_shown(sentence, one))
        counts["without"] += not sentence.labelled
        counts["untouched"] += not sentence.labelled and not found
    names = ("labelled", "covered", "named", "found", "right", "untouched", "without")
    return Figures(*(counts[name] for name in names), tuple(missed), tuple(wrong))


def ours(text: str) -> list[Stretch]:
    """Return what ``riskmodel.redaction`` finds."""
    return [Stretch(finding.kind, finding.start, finding.end) for finding in find(text)]


def _sentence(row: dict[str, str]) -> Sentence:
    text, labelled, at = "", [], 0
    for mark in _MARK.finditer(row["marked"]):
        text += row["marked"][at : mark.start()]
        labelled.append(Stretch(mark["kind"], len(text), len(text) + len(mark["words"])))
        text += mark["words"]
        at = mark.end()
    return Sentence(row["id"], row["part"], text + row["marked"][at:], tuple(labelled))


def _covered(text: str, stretch: Stretch, found: list[Stretch]) -> bool:
    """Whether every letter and digit of a stretch is in something found."""
    return all(
        any(one.start <= place < one.end for one in found)
        for place in range(stretch.start, stretch.end)
        if text[place].isalnum()
    )


def _shown(sentence: Sentence, stretch: Stretch) -> str:
    return f"{sentence.id} {stretch.kind}: {sentence.text[stretch.start : stretch.end]}"


def _of_file(path: Path) -> Callable[[str], list[Stretch]]:
    spec = importlib.util.spec_from_file_location("beside", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"--beside is {path}: expected a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda text: [Stretch(span.mask.strip("[]"), span.start, span.end) for span in module._spans(text)]


def _line(name: str, figures: Figures) -> str:
    return (
        f"| {name} | {figures.covered}/{figures.labelled} = {figures.recall:.3f} | {figures.named_recall:.3f} "
        f"| {figures.right}/{figures.found} = {figures.precision:.3f} | {figures.untouched}/{figures.without} |"
    )


def main() -> None:
    """Print the figures as a table, and what was missed or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="another version of redaction.py, with _spans(text)")
    beside = parser.parse_args().beside
    sentences = read()
    print("| | found whole | and named | precision | sentences without, left alone |\n| --- | --- | --- | --- | --- |")
    for part in ("tune", "test"):
        these = [sentence for sentence in sentences if sentence.part == part]
        figures = measure(these, ours)
        print(_line(part, figures))
        for word, shown in (("missed", figures.missed), ("wrong", figures.wrong)):
            print(*(f"    {word} {one}" for one in shown), sep="\n", end="\n" if shown else "")
    for language in ("en", "es", "pt"):
        print(_line(language, measure([one for one in sentences if one.id.startswith(language)], ours)))
    print(_line("all", measure(sentences, ours)))
    if beside is not None:
        print(_line("beside", measure(sentences, _of_file(beside))))


if __name__ == "__main__":
    main()
