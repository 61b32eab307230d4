"""The command that runs the server until it is stopped."""

import logging
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from lab.rancher import WHAT_IT_IS, app, config, kube

_SHUTDOWN_SECONDS = 3


def main(
    file: Annotated[Path, typer.Option("--config", help="The server's configuration; see lab/rancher/config.py.")],
) -> None:
    """Serve the part of Rancher's API that the lab implements."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("rancher").info(WHAT_IT_IS)
    settings = config.read(file)
    rancher = app.make(settings, {cluster.id: kube.connect(cluster) for cluster in settings.clusters})
    uvicorn.run(
        app.build(rancher),
        host=str(settings.address),
        port=settings.port,
        ssl_certfile=settings.certificate_file,
        ssl_keyfile=settings.key_file,
        # No access log: headers and bodies contain secrets, and paths alone do not help.
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # A command without output for a long time is no lost connection.
        ws_ping_interval=None,
    )


if __name__ == "__main__":
    typer.run(main)
