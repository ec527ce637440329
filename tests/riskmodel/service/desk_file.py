"""A desk file for tests of the service: one team by webhook, one by e-mail, the others on the pages only."""

from pathlib import Path

from tests.riskmodel.casework.made import SECRET


def write_desk_file(folder: Path, webhook: str = "http://127.0.0.1:9/hook", smtp_port: int = 9, more: str = "") -> Path:
    """Write a desk file whose receivers are on this machine; by itself nobody is there."""
    path = folder / "desk.toml"
    path.write_text(
        f"""
base_url = "http://desk"
private_addresses = true
{more}
[smtp]
host = "127.0.0.1"
port = {smtp_port}
sender = "desk@example.org"

[teams.crisis_response]
webhook = "{webhook}"
secrets = ["{SECRET}"]
language = "es"

[teams.abuse_response]
email = "abuse@example.org"
""",
        encoding="utf-8",
    )
    return path
