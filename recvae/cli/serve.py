"""`recvae serve`: a saved model over HTTP."""

import signal
import socket
import warnings
from ipaddress import ip_address
from typing import Annotated

import typer

from recvae.cli.arguments import Device, ModelFolder
from recvae.cli.output import note
from recvae.errors import MissingPackageError, OptionError

SHUTDOWN_SECONDS = 30
"""How long requests have to finish after the server was told to end, in seconds."""


def serve(
    model: ModelFolder,
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    token: Annotated[str | None, typer.Option(envvar="RECVAE_TOKEN")] = None,
    allow_origin: list[str] | None = None,
    device: Device = "auto",
) -> None:
    """Serve a model over HTTP: a page to try it on, and an API, which /docs describes.

    Another model saved to the same folder is picked up without dropping a request.

    [bold]Examples[/bold]

    $ recvae serve runs/vae

    $ RECVAE_TOKEN=secret recvae serve runs/vae --host 0.0.0.0 --port 80

    Options:
        host: address to listen on; others than this machine's need a token.
        port: port to listen on; 0 takes one that is free.
        token: what requests must bear, as `Authorization: Bearer TOKEN`. Better given in the
            environment, which other users of the machine can't see.
        allow_origin: an origin, such as https://shop.example, whose pages may ask this server from
            a browser (CORS); it may be given several times.
    """
    try:
        import uvicorn

        from recvae.models import EmptyHistoryWarning
        from recvae.serving import create_app
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"recvae serve needs {error.name}: pip install 'recvae[serve]'."
        ) from None
    if not token and not _is_loopback(host):
        raise OptionError(
            f"--host {host} lets other machines in: give a token, in RECVAE_TOKEN or --token."
        )
    app = create_app(model, device=device, token=token, allow_origins=allow_origin or ())
    warnings.simplefilter("ignore", EmptyHistoryWarning)
    with _listen(host, port) as listening:
        port = listening.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        note(f"serving {model}: open http://{name}:{port}, the API is described at /docs")
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS
        )
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # who ends a server is to see that it did
        uvicorn.Server(config).run(sockets=[listening])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise OptionError(
            f"can't listen on {host}, port {port} ({error.strerror}): choose others."
        ) from None
