"""`python -m recvae` is the command `recvae`."""

from recvae.cli import app

app(prog_name="recvae")
