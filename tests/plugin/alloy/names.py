"""What the room of alloys is called and holds: light, read before anything is imported."""

from molgraph.registry import Names

NAMES = Names(
    room=".room:ROOM",
    models={"linear": (".linear:Linear", "one weight per element")},
    holds="alloys",
    called=("alloy",),
)
