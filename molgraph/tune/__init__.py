"""Tuning: Optuna around the one training core; it knows settings, trials and scores, never what the data is."""
