"""Serving: a saved model over HTTP. The extra `recvae[serve]` installs what it needs."""

from recvae.serving.app import create_app

__all__ = ["create_app"]
