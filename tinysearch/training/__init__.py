"""The only room that imports torch: layers, quantization-aware training, the trainer, and freezing."""
