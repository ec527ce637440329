"""The test split in, texts and request bodies out, shuffled by a seed."""

import json
import random
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEST_SPLIT = ROOT / "data" / "escalations" / "test.jsonl"
SEED = 7


def read_texts(seed: int = SEED, most_characters: int | None = None) -> list[str]:
    """Return the texts of the test split in an order that depends on the seed alone; cut, if need be."""
    lines = TEST_SPLIT.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"][:most_characters] for line in lines]
    random.Random(seed).shuffle(texts)
    return texts


def bodies_of(texts: list[str]) -> list[str]:
    """Return what ``POST /predict`` takes for each text."""
    return [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
