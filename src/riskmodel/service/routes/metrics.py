"""The figures of the service in, Prometheus' text formats out."""

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder

from riskmodel.service.running import running

router = APIRouter(tags=["health"])


# Without a key, as /health is: what watches the service must see it most when keys cannot be read.
@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(request: Request) -> Response:
    """Count what was done, for Prometheus; in OpenMetrics where the Accept header asks for it."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(running(request).metrics.registry), headers={"Content-Type": content_type})
