"""Files of public sets in, questions with known answers out; beside each the figures that others published.

A published figure is copied from where it is named, with what it was measured on where that differs from here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from training.benchmark import measures
from training.benchmark.heads import answer
from training.benchmark.reading import Reading
from training.metrics import Interval
from training.public.adding import read_public
from training.public.mapping import PUBLIC_SETS, PublicSet

Rows = list[dict[str, Any]]
Read = Callable[[Sequence[str]], Reading]
OPENAI_CATEGORIES = {"S": "sexual_content", "H": "hate", "V": "violence", "HR": "harassment", "SH": "self_harm"}
# MLCommons' hazards in our categories; the hazard is the topic of a prompt, which may be harmless. Advice by
# specialists (elections, finance, health, law) is no category of ours.
AILUMINATE_CATEGORIES = {
    "cse": ("child_safety",),
    "dfm": ("harassment", "civic_integrity"),
    "hte": ("hate",),
    "ipv": ("intellectual_property",),
    "iwp": ("illegal_goods", "violence", "extremism"),
    "ncr": ("illegal_goods", "scams_fraud"),
    "prv": ("privacy",),
    "src": ("exploitation", "sexual_content", "violence"),
    "ssh": ("self_harm",),
    "sxc_prn": ("sexual_content",),
    "vcr": ("violence", "extremism", "exploitation"),
}
ZERO, OWN_HEAD = "zero-shot", "with a head trained on its training rows"


@dataclass(frozen=True)
class Line:
    """One figure: of which set and question, on how many rows, how it came about, and what others reached."""

    set: str
    question: str
    how: str
    n: int
    figure: str
    value: Interval
    published: str = ""


def hatecheck(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a text is hateful, by language and by functionality; no row of the sets is ever trained on."""
    found = []
    reading = read([row["text"] for row in rows])
    hateful = np.array([row["label"] == "hateful" for row in rows])
    languages = np.array([row["lang"] for row in rows])
    published = {
        "es": "vendor's card 0.844; Detoxify 0.487 and Llama Guard 3 1B 0.649 (means of 7 languages)",
        "pt": "vendor's card 0.850; Detoxify 0.487 and Llama Guard 3 1B 0.649 (means of 7 languages)",
    }
    for language in sorted(set(languages)):
        at = np.flatnonzero(languages == language)
        part, truth = reading.take(at), hateful[at]
        name = f"HateCheck, {language}"
        given, score = part.finds("hate"), part.chance("hate")
        found.append(
            Line(
                name,
                "hateful?",
                ZERO,
                len(at),
                "macro-F1",
                measures.macro_f1(truth, given),
                published.get(language, ""),
            )
        )
        found.append(Line(name, "hateful?", ZERO, len(at), "AUROC", measures.auroc(truth, score)))
        kinds = np.array([row["functionality"] for row in rows])[at]
        for kind in sorted(set(kinds)):
            of_kind = kinds == kind
            right = given[of_kind] == truth[of_kind]
            found.append(Line(name, kind, ZERO, int(of_kind.sum()), "accuracy", measures.share(right)))
    return found


def xstest(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a request is unsafe; its safe ones are look-alikes."""
    reading = read([row["text"] for row in rows])
    unsafe, given = np.array([row["label"] == "unsafe" for row in rows]), reading.finds_harm
    n, name = len(rows), "XSTest"
    published = "GPT-4 0.895, Llama Guard 2 0.884, Llama Guard 0.737, OpenAI Moderation 0.576"
    alarms = "GPT-4 0.128, Llama Guard 2 0.084, Llama Guard 0.079, OpenAI Moderation 0.040"
    return [
        Line(name, "unsafe?", ZERO, n, "AUROC", measures.auroc(unsafe, reading.harm)),
        Line(name, "unsafe?", ZERO, n, "F1", measures.f1(unsafe, given), published),
        Line(name, "false alarms", ZERO, int((~unsafe).sum()), "share", measures.share(given[~unsafe]), alarms),
    ]


def simple_safety(rows: Rows, read: Read) -> list[Line]:
    """Ask for the rating of requests that are all unsafe."""
    reading, n = read([row["text"] for row in rows]), len(rows)
    return [
        Line("SimpleSafetyTests", "rated at least medium", ZERO, n, "share", measures.share(reading.ranks >= 1)),
        Line("SimpleSafetyTests", "a harm found", ZERO, n, "share", measures.share(reading.finds_harm)),
    ]


def ailuminate(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a prompt's topic is seen; some prompts are harmless, so that not all is best."""
    reading, n = read([row["text"] for row in rows]), len(rows)
    known = np.array([row["label"] in AILUMINATE_CATEGORIES for row in rows])
    hits = [
        known[at] and any(reading.finds(name)[at] for name in AILUMINATE_CATEGORIES.get(row["label"], ()))
        for at, row in enumerate(rows)
    ]
    topic = measures.share(np.array(hits)[known])
    return [
        Line("AILuminate", "a harm found", ZERO, n, "share", measures.share(reading.finds_harm)),
        Line("AILuminate", "its topic among the categories", ZERO, int(known.sum()), "share", topic),
    ]


def openai_moderation(rows: Rows, read: Read) -> list[Line]:
    """Ask for any harm (unknown counts as none, as in published figures), and for each category where known."""
    reading, n, name = read([row["text"] for row in rows]), len(rows), "OpenAI moderation"
    any_harm = np.array([any(row["labels"].values()) for row in rows])
    published = "ShieldGemma-9B 0.907, OpenAI API 0.856, Llama Guard 0.847, Perspective 0.787 (on all 1,680)"
    found = [Line(name, "any harm?", ZERO, n, "AUPRC", measures.auprc(any_harm, reading.harm), published)]
    for key, category in OPENAI_CATEGORIES.items():
        known = np.flatnonzero([key in row["labels"] for row in rows])
        truth = np.array([bool(rows[at]["labels"][key]) for at in known])
        found.append(
            Line(name, category, ZERO, len(known), "AUPRC", measures.auprc(truth, reading.chance(category)[known]))
        )
    return found


def told_br(rows: Rows, read: Read) -> list[Line]:
    """Ask whether any of three voters minded a text in any way, as its makers did."""
    return _with_head(
        PUBLIC_SETS["told_br"],
        rows,
        read,
        "ToLD-Br",
        "toxic?",
        np.array([any(row["labels"].values()) for row in rows], dtype=np.int64),
        lambda reading: reading.harm,
        "BERT 0.76 (its makers' split)",
    )


def olid_br(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a text is offensive."""
    return _with_head(
        PUBLIC_SETS["olid_br"],
        rows,
        read,
        "OLID-BR",
        "offensive?",
        np.array([row["label"] == "OFF" for row in rows], dtype=np.int64),
        lambda reading: reading.harm,
        "BERTimbau 0.698, LoRA LLM 0.702",
    )


def edos(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a text is sexist, and how."""
    kinds = sorted({row["category"] for row in rows if row["label"] == "sexist"})
    sexist = [row for row in rows if row["label"] == "sexist"]
    return [
        *_with_head(
            PUBLIC_SETS["edos"],
            rows,
            read,
            "EDOS",
            "A: sexist?",
            np.array([row["label"] == "sexist" for row in rows], dtype=np.int64),
            lambda reading: reading.chance("hate"),
            "winner 0.8746",
        ),
        *_with_head(
            PUBLIC_SETS["edos"],
            sexist,
            read,
            "EDOS",
            "B: which kind",
            np.array([kinds.index(row["category"]) for row in sexist], dtype=np.int64),
            None,
            "winner 0.7326",
        ),
    ]


def convabuse(rows: Rows, read: Read) -> list[Line]:
    """Ask whether a turn abuses the bot; turns that voters could not settle are left out."""
    settled = [row for row in rows if row["label"] != 0]
    return _with_head(
        PUBLIC_SETS["convabuse"],
        settled,
        read,
        "ConvAbuse",
        "abusive?",
        np.array([row["label"] < 0 for row in settled], dtype=np.int64),
        lambda reading: reading.harm,
        "",
    )


def _with_head(
    chosen: PublicSet,
    rows: Rows,
    read: Read,
    name: str,
    question: str,
    truth: NDArray[np.int64],
    score: Callable[[Reading], NDArray[np.float32]] | None,
    published: str,
) -> list[Line]:
    """Answer a question with the version's own chances, and by a head on the set's training rows."""
    sides = np.array([chosen.side(row) for row in rows])
    texts = [chosen.text(row) for row in rows]
    test, train = np.flatnonzero(sides == "test"), np.flatnonzero(sides == "train")
    unseen = read([texts[at] for at in test])
    n, found = len(test), []
    if score is not None:
        found.append(Line(name, question, ZERO, n, "AUROC", measures.auroc(truth[test] > 0, score(unseen))))
    tested = {texts[at] for at in test}
    train = np.array([at for at in train if texts[at] not in tested])
    given = answer(read([texts[at] for at in train]), truth[train], unseen)
    figure = measures.resampled(
        lambda drawn: float(f1_score(truth[test][drawn], given[drawn], average="macro", zero_division=0.0)), n
    )
    found.append(Line(name, question, OWN_HEAD, n, "macro-F1", figure, published))
    return found


SETS: dict[str, tuple[str, Callable[[Rows, Read], list[Line]]]] = {
    "multilingual_hatecheck": ("multilingual_hatecheck_es_pt.jsonl.gz", hatecheck),
    "hatecheck": ("hatecheck_en.jsonl.gz", hatecheck),
    "xstest": ("xstest_en.jsonl.gz", xstest),
    "simple_safety_tests": ("simple_safety_tests_en.jsonl.gz", simple_safety),
    "ailuminate": ("ailuminate_demo_en.jsonl.gz", ailuminate),
    "openai_moderation": ("openai_moderation.jsonl.gz", openai_moderation),
    "told_br": ("told_br.jsonl.gz", told_br),
    "olid_br": ("olid_br.jsonl.gz", olid_br),
    "edos": ("edos_en.jsonl.gz", edos),
    "convabuse": ("convabuse_en.jsonl.gz", convabuse),
}


def read_set(folder: Path, file: str) -> Rows | None:
    """Return the rows of a set, or None where the folder does not have it."""
    path = folder / file
    return list(read_public(path)) if path.is_file() else None
