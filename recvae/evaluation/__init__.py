"""Evaluation: metrics, paired comparison, tuning and the report."""

from recvae.evaluation.evaluate import Report, evaluate

__all__ = ["Report", "evaluate"]
