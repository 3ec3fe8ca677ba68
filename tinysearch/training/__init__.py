"""The only room that imports torch: layers, quantisation-aware training, the trainer, and freezing."""
