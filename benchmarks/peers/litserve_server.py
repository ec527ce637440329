"""A text in, a rating out: the same objects behind LitServe, which gathers up to 32 requests within 5 ms."""

import sys

import litserve

from benchmarks.peers.objects import load

GATHERED, GATHERING_SECONDS = 32, 0.005


class Api(litserve.LitAPI):
    """Texts that wait go through the encoder together, padded to the longest, as sentence-transformers does."""

    def setup(self, device: str) -> None:
        """Load encoder and heads."""
        self._objects = load()

    def decode_request(self, request: dict[str, str]) -> str:
        """Return the text of a request."""
        return request["text"]

    def batch(self, inputs: list[str]) -> list[str]:
        """Leave texts as they are."""
        return inputs

    def predict(self, x: list[str]) -> list[dict[str, object]]:
        """Rate all that wait."""
        return self._objects.predict(x)

    def unbatch(self, output: list[dict[str, object]]) -> list[dict[str, object]]:
        """Give each request its answer."""
        return output

    def encode_response(self, output: dict[str, object]) -> dict[str, object]:
        """Leave an answer as it is."""
        return output


if __name__ == "__main__":
    server = litserve.LitServer(
        Api(max_batch_size=GATHERED, batch_timeout=GATHERING_SECONDS),
        accelerator="cpu",
        workers_per_device=1,
        timeout=False,
    )
    server.run(host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", generate_client_file=False)
