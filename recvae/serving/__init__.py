"""Serving: a saved model over HTTP. The extra `recvae[serve]` installs what it needs.

A request goes through these files, from the outside in:

    app, middleware, security    the application: limits, the token, errors
    routes                       a function for each path
    schemas                      the fields of requests and answers, and their limits
    service, batching, metrics   puts waiting requests into batches, and counts them
    live_model                   the model that answers now; loads a new one when it is saved
    served_model                 answers with lists, codes and similar items
    explainer, served_map        answers with reasons and blends, and with the map
    catalogue, search            the raw ids and titles of the model's columns
"""

from recvae.serving.app import create_app

__all__ = ["create_app"]
