"""What learns: an `Encoder` (the one plug interface) and the `Model` around it."""
