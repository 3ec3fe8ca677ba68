"""From a candidate to its evaluation: analytic figures, trained branches and their memo, error rates."""
