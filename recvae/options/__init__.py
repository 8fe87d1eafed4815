"""Options: the hyper-parameters of models, their ranges, and the values worth trying."""

from recvae.options.ranges import build, check, values

__all__ = ["build", "check", "values"]
