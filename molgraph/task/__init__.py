"""Tasks: features to a loss, a prediction and a score."""
