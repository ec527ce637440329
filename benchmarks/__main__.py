"""``python -m benchmarks``: measure, print, keep the results with machine and versions, and write the tables."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import results
from benchmarks.processes import give_way
from benchmarks.report import write_readme
from benchmarks.texts import ROOT
from riskmodel.artifact import champion_folder, read_manifest

CACHE = ROOT / ".cache"

app = typer.Typer(
    help="Measure the champion. Without a command: encoder and service.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
Seconds = Annotated[float, typer.Option(help="Each figure is measured for so long.")]


def _folder() -> Path:
    return champion_folder(ROOT / "models")


def _version() -> str:
    return read_manifest(_folder()).version


def _keep(command: str, measured: dict[str, Any]) -> None:
    results.keep(_version(), command, measured)
    write_readme(_version())


def _keep_and_show(command: str, measured: dict[str, Any]) -> None:
    _keep(command, measured)
    print(json.dumps(results.read(_version(), command), indent=1, ensure_ascii=False))
    print(f"Kept in {results.RESULTS.relative_to(ROOT) / _version() / command}.json and benchmarks/README.md")


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Measure encoder and service where no command is given."""
    give_way()
    if context.invoked_subcommand is None:
        encoder()
        service()


@app.command()
def encoder() -> None:
    """ONNX Runtime int8 against sentence-transformers."""
    from benchmarks.encoder import measure_encoder  # noqa: PLC0415  torch
    from riskmodel import load_policy  # noqa: PLC0415
    from training.dataset import SPLITS  # noqa: PLC0415
    from training.rows import read_labelled  # noqa: PLC0415

    policy = load_policy()
    _keep_and_show("encoder", measure_encoder(_folder(), read_labelled(ROOT / SPLITS["test"], policy), policy, CACHE))


@app.command()
def service() -> None:
    """The service at rest: start to ready, resident memory, one request after the other beside the encoder's call."""
    from benchmarks.service import measure_service  # noqa: PLC0415

    _keep_and_show("service", measure_service(_folder()))


@app.command()
def peers(
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    seconds: Seconds = 20.0,
    clients: Annotated[str, typer.Option(help="Numbers of clients.")] = "1,8,32,128",
    ids: Annotated[bool, typer.Option(help="Whether the service's requests carry ids of their own.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Peers, such as 'litserve tuned'. Default: all.")] = None,
) -> None:
    """The service beside the bare encoder, `mlflow models serve`, a plain FastAPI route, and LitServe."""
    from benchmarks.compare import Amount, measure_peers  # noqa: PLC0415

    amount = Amount(rounds, seconds, tuple(int(number) for number in clients.split(",")), ids)
    measure_peers(_folder(), CACHE, amount, set(only or ()), lambda found: _keep("peers", found))


@app.command()
def overload(seconds: Seconds = 20.0, connections: Annotated[int, typer.Option(min=1)] = 600) -> None:
    """More than can be answered: who is refused, how fast, and whether all others are answered."""
    from benchmarks.overload import measure_overload  # noqa: PLC0415

    _keep_and_show("overload", measure_overload(_folder(), seconds, connections))


@app.command()
def soak(
    requests: Annotated[int, typer.Option(min=1000)] = 100_000,
    clients: Annotated[int, typer.Option(min=1)] = 16,
    characters: Annotated[int, typer.Option(help="Texts are cut to so many, or it would take long.")] = 80,
) -> None:
    """Resident memory over many requests."""
    from benchmarks.soak import measure_soak  # noqa: PLC0415

    measure_soak(_folder(), requests, clients, characters, lambda found: _keep("soak", found))


@app.command()
def growth(
    sizes: Annotated[str, typer.Option(help="Stored escalations.")] = "10000,100000,1000000",
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    seconds: Seconds = 10.0,
    postgresql: Annotated[bool, typer.Option(help="PostgreSQL instead of SQLite.")] = False,
) -> None:
    """What a request costs when much is stored."""
    from benchmarks.growth import measure_growth  # noqa: PLC0415

    amounts = [int(size) for size in sizes.split(",")]
    name = "growth-postgresql" if postgresql else "growth"
    measure_growth(_folder(), amounts, rounds, seconds, postgresql, lambda found: _keep(name, found))


@app.command()
def scale(
    sizes: Annotated[str, typer.Option(help="Stored escalations, the smallest first.")] = "50000,5000000",
    rounds: Annotated[int, typer.Option(min=1)] = 5,
    postgresql: Annotated[bool, typer.Option(help="PostgreSQL instead of SQLite.")] = False,
    folder: Annotated[
        Path | None, typer.Option(help="Where the casebooks lie and stay. Default: .cache/scale; wants gigabytes.")
    ] = None,
) -> None:
    """Queue, search and inserts in a large casebook beside a small one, without a service in between."""
    from benchmarks.scale import measure_scale  # noqa: PLC0415

    amounts = [int(size) for size in sizes.split(",")]
    name = "scale-postgresql" if postgresql else "scale"
    work = folder or CACHE / "scale"
    measure_scale(_folder(), amounts, rounds, work, postgresql, lambda found: results.keep(_version(), name, found))


@app.command()
def faults(
    only: Annotated[list[str] | None, typer.Option(help="kill, locked, postgresql, processes. Default: all.")] = None,
    kills: Annotated[int, typer.Option(min=1)] = 20,
    seed: Annotated[int, typer.Option(help="Of the moments at which the service is killed.")] = 7,
) -> None:
    """kill -9 under load, a locked database, PostgreSQL stopped, several processes: answers lost and duplicated."""
    from benchmarks.faults import FAULTS, Setting  # noqa: PLC0415

    kept = (results.read(_version(), "faults") or {}).get("faults", {})
    for name in only or FAULTS:
        kept[name] = FAULTS[name](Setting(_folder(), kills, seed))
        _keep("faults", kept)


@app.command()
def week(
    count: Annotated[int, typer.Option(min=100, max=5_000, help="Escalations.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Of what arrives and what people do.")] = 7,
    casebook: Annotated[
        Path | None, typer.Option(help="The casebook's file, to look at later. Default: .cache/week.db, made anew.")
    ] = None,
) -> None:
    """A simulated week: analysts, five teams that are reached, two outages, one campaign; and that nothing is lost."""
    from benchmarks.week.run import measure_week  # noqa: PLC0415
    from riskmodel.service.logs import configure_logging  # noqa: PLC0415

    configure_logging("error")
    file = casebook or CACHE / "week.db"
    for part in (file, *file.parent.glob(f"{file.name}-*")):
        part.unlink(missing_ok=True)
    measured = measure_week(_folder(), file, count, seed)
    results.keep(_version(), "week", measured)
    print(json.dumps(measured, indent=1, ensure_ascii=False))
    print(
        "Its report: riskmodel report --from 2026-11-09 --to 2026-11-15 --out week.html "
        f"--database-url sqlite:///{file}"
    )


@app.command()
def ray(
    rows: Annotated[int, typer.Option(min=1_024, help="Of the lake.")] = 6_144,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """`riskmodel score --engine ray` on two nodes: two workers over one, the same rows, workers and driver killed."""
    from benchmarks.on_ray import measure_on_ray  # noqa: PLC0415

    measure_on_ray(_folder(), rows, rounds, lambda found: results.keep(_version(), "ray", found))
    print(json.dumps(results.read(_version(), "ray"), indent=1))


@app.command()
def deliveries(
    handoffs: Annotated[int, typer.Option(min=1)] = 1_000,
    kills: Annotated[int, typer.Option(min=0, help="Of deciding and sending processes.")] = 40,
    seed: Annotated[int, typer.Option(help="Of when, and of what fails.")] = 7,
) -> None:
    """Hand-offs to receivers that fail half of the time, with processes killed in between: deliveries lost."""
    from benchmarks.deliveries import Amount, measure_deliveries  # noqa: PLC0415

    measured = measure_deliveries(_folder(), Amount(handoffs, kills, seed))
    results.keep(_version(), "deliveries", measured)
    print(json.dumps(measured, indent=1, ensure_ascii=False))


incidents = typer.Typer(help="How well reports of one event are joined (data/incidents), and what it costs.")
app.add_typer(incidents, name="incidents")


def _model() -> Any:
    from riskmodel import load_model, load_policy  # noqa: PLC0415

    return load_model(_folder(), load_policy(), across_texts=True)


@incidents.command("choose")
def choose_levels() -> None:
    """Choose weights and levels on the part for choosing, and write them where the joiner reads them."""
    from benchmarks.joining.choosing import choose, write  # noqa: PLC0415

    write(choose(_model(), print))


@incidents.command("measure")
def measure_joining() -> None:
    """Precision, recall and F1 of joined pairs on the part for measuring, beside simpler ways."""
    from benchmarks.joining.measuring import measure  # noqa: PLC0415

    _keep_and_show("incidents", measure(_model(), print))


@incidents.command("scale")
def measure_cost(size: Annotated[int, typer.Option(min=1_000, help="Escalations that are kept.")] = 100_000) -> None:
    """How long it takes to join many escalations, and one more then."""
    from benchmarks.joining.scale import measure_scale  # noqa: PLC0415

    _keep_and_show("incidents-scale", measure_scale(_folder(), _model(), size, print))


@app.command()
def report() -> None:
    """Write the tables of benchmarks/README.md from what was measured before."""
    write_readme(_version())


if __name__ == "__main__":
    app()
