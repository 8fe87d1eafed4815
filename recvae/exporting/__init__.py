"""Exporting: a fitted model as an ONNX graph, or its vectors, for other programs."""

from recvae.exporting.onnx import export_onnx
from recvae.exporting.vectors import export_vectors, query_vectors

__all__ = ["export_onnx", "export_vectors", "query_vectors"]
