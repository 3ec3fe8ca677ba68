"""The sampler that decides which branch is trained next, and what its decision rests on."""
