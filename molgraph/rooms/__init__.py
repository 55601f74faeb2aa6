"""What a model reads: one folder a room, and none imports another."""
