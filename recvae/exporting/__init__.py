"""Exporting: a fitted model as an ONNX graph, from histories to lists, for any runtime."""

from recvae.exporting.onnx import export_onnx

__all__ = ["export_onnx"]
