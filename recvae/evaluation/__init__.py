"""Evaluation: metrics, paired comparison, tuning and the report."""

from recvae.evaluation.compare import compare
from recvae.evaluation.comparison import Comparison
from recvae.evaluation.evaluate import Report, evaluate
from recvae.evaluation.tuning import Tuned, tune

__all__ = ["Comparison", "Report", "Tuned", "compare", "evaluate", "tune"]
