"""What is known: the design table, rates and fusions learnt so far, what cheap evidence promises, the front."""
