"""`python -m molgraph` is `molgraph`."""

import sys


def run() -> int:
    """Run a command; Ctrl-C is answered in a line from the start on, also while what the command needs is imported."""
    try:
        from molgraph.cli import main

        return main()
    except KeyboardInterrupt:
        sys.stderr.write("molgraph: stopped before anything was done.\n")
        return 130  # as errors.INTERRUPTED, which may not be there yet


if __name__ == "__main__":
    sys.exit(run())
