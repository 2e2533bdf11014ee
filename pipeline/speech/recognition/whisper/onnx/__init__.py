"""Whisper's network on a processor, by onnxruntime."""
