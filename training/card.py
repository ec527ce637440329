"""A manifest and its figures in, a model card (Mitchell et al. 2019) in Markdown out."""

from collections.abc import Mapping
from pathlib import Path

from riskmodel.artifact import Manifest
from riskmodel.errors import SettingsError
from riskmodel.records import LANGUAGES
from training import doubt as doubts
from training.doubt import DoubtFigures
from training.evaluate import Evaluation, markdown

START, END = "<!-- figures: python -m training {} -->", "<!-- end of figures -->"
EVALUATE = "evaluate --readme README.md"
OUT_OF_FOLD = "riskmodel, out of fold"


def write_figures(path: Path, manifest: Manifest, evaluations: Mapping[str, Evaluation]) -> None:
    """Put the figures of a version on the test split between the marks of a Markdown file.

    Raises:
        SettingsError: if the file has no marks.
    """
    put(path, EVALUATE, figures(manifest, evaluations))


def put(path: Path, command: str, found: str) -> None:
    """Put figures between the marks of a Markdown file that name the command they come from.

    Raises:
        SettingsError: if the file has no such marks.
    """
    text, mark = path.read_text(encoding="utf-8"), START.format(command)
    before, start, rest = text.partition(mark)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise SettingsError(f"{path} has no place for figures: expected {mark} and {END}.")
    path.write_text(f"{before}{start}\n{found}{end}{after}", encoding="utf-8")


def figures(manifest: Manifest, evaluations: Mapping[str, Evaluation]) -> str:
    """Return the figures of a version and its baselines on the test split as Markdown."""
    ours, *baselines = (name for name in evaluations if name != OUT_OF_FOLD)
    tables = [
        markdown({ours: evaluations[ours]}, ["all", "field", "contrast", *LANGUAGES]),
        markdown({name: evaluations[name] for name in baselines}, ["all", "field", "contrast"]),
    ]
    head = f"Version {manifest.version} on the test split, with 95% bootstrap intervals over situations."
    return "\n".join(["", head, "", *tables])


def write_card(manifest: Manifest, evaluations: Mapping[str, Evaluation], doubt: Mapping[str, DoubtFigures]) -> str:
    """Return the card of a version."""
    encoder = manifest.encoder
    how = "adapted with LoRA" if encoder.adapted else "as it is"
    trained_on = "\n".join(f"- {line}" for line in manifest.trained_on)
    test = {name: evaluation for name, evaluation in evaluations.items() if name != OUT_OF_FOLD}
    return f"""# {manifest.name} {manifest.version}

Rates escalations of harm in English, Spanish and Portuguese by rating policy {manifest.policy}.
Made {manifest.created_at}.

## Use
For: a first rating of short reports to a Trust & Safety desk in the Americas, with a person behind it: what the
model is not sure of goes to review. Not for: decisions about people without a person, other languages (rated, but
always sent to review), reading images, or estimating how frequent a harm is.

## How it is made
Encoder {encoder.base}, {how}, {encoder.dimensions} dimensions, int8; linear heads on its vectors and on character
and word n-grams; rating blended from the policy's table and a direct head; weighed and calibrated out of fold.

Trained on (sha256 {manifest.data_digest[:16]}…):

{trained_on}

The escalations were written by language models to the rating guide, not observed on a platform; see the datasheet in
`data/README.md`. Public sets taught which content breaks a rule, never a rating; nothing of them is in this folder.

## Figures on the test split
With 95% bootstrap intervals over situations. *field*: reports as they may arrive; *contrast*: the same situation
told with other decisive facts, or tone and topic set against the rating.

{markdown(test, ["all", "field", "contrast", *LANGUAGES])}
## Figures out of fold, on the training split
*posts*: content itself, without a report around it.

{markdown({OUT_OF_FOLD: evaluations[OUT_OF_FOLD]}, ["all", "field", "contrast", "posts", *LANGUAGES])}
## Doubt
How often the rating was wrong, and too low, where a reason for review spoke (several may speak of one escalation).

{doubts.markdown(dict(doubt))}
## Limits
The corpus is balanced and clean; a real queue is neither, so calibration and the share sent to review must be
checked on the desk's own verdicts. Evidence shows which words the read-out used, not why something happened.
"""
