"""Whisper's network: by onnxruntime on a processor, by paddle on a graphics card."""
