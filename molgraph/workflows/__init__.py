"""What a person asks for: names become objects here and only here."""
