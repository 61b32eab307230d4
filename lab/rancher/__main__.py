"""Runs the server until it is stopped."""

import logging
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from lab.rancher import WHAT_IT_IS, app, config, kube

_SHUTDOWN_SECONDS = 3


def main(
    file: Annotated[Path, typer.Option("--config", help="What the server is told: see lab/rancher/config.py.")],
) -> None:
    """Serve the part of Rancher's API that the lab has."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("rancher").info(WHAT_IT_IS)
    told = config.read(file)
    rancher = app.make(told, {cluster.id: kube.connect(cluster) for cluster in told.clusters})
    uvicorn.run(
        app.build(rancher),
        host=str(told.address),
        port=told.port,
        ssl_certfile=told.certificate_file,
        ssl_keyfile=told.key_file,
        # Paths are enough of a trace, and of no use here; headers and bodies hold secrets.
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        # A command that says nothing for long is no dead connection.
        ws_ping_interval=None,
    )


if __name__ == "__main__":
    typer.run(main)
