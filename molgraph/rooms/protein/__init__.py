"""The room of proteins: sequences in, residues, k-mers, composition and embeddings out."""
