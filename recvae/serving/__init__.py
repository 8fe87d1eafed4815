"""Serving: a saved model over HTTP. The extra `recvae[serve]` installs what it needs.

A request goes through these files, from the outside in:

    app, middleware, security, pages   the application: limits, the token, the page's own files
    routes, latent_routes              a function for each path
    schemas, latent_schemas            what requests and answers hold
    service, batching, metrics         requests that wait, put together; what is counted
    live_model                         which model answers now
    served_model                       what it answers: lists, codes, similar items
    explainer, served_map              reasons and blends; the map
    catalogue, search                  raw ids and titles of its columns
"""

from recvae.serving.app import create_app

__all__ = ["create_app"]
