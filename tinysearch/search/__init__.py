"""Which branch to train next: study loop, samplers, exact fronts, storage and resume rules, engines."""
