"""Networks: tensors in, tensors out; no files, no RDKit, no Optuna."""
