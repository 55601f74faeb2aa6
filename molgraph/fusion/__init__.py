"""Several inputs as one: an `Encoder` over encoders. It knows no room."""
