"""``python -m devtools.dify_server``: the stand-in in a process of its own, for the benchmark and for curl.

The first line is the URL, then follows a line for each app: its key, mode, id and name. With ``--console`` every app
has a published workflow, and the second line has the admin key and the workspace. It serves until its standard
input ends, or until it is interrupted.
"""

import argparse
import sys
from contextlib import suppress

from devtools.dify_server import FAULTS, MODES, App, DifyServer, simple_flow


def main(arguments: list[str] | None = None) -> None:
    """Serve the apps that the arguments describe."""
    parser = argparse.ArgumentParser(prog="python -m devtools.dify_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--apps", type=int, default=1, help="how many apps of the same kind")
    parser.add_argument("--mode", choices=MODES, default="workflow")
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of a run")
    parser.add_argument("--pieces", type=int, default=40, help="pieces of the answer, one event each")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="of the first app, for one run each time")
    parser.add_argument("--connections", type=int, help="requests at a time, 10 in a default installation")
    parser.add_argument("--console", type=float, metavar="SECONDS", help="every answer of the console takes so long")
    options = parser.parse_args(arguments)
    answer = "word " * max(options.pieces, 1)
    with DifyServer(options.port, connections=options.connections) as dify, suppress(KeyboardInterrupt):
        print(dify.url)
        if options.console is not None:
            dify.console.latency_s = options.console
            print(dify.console.door.admin_key, dify.console.door.workspace_id)
        for number in range(options.apps):
            app = App(f"app-{number + 1}", options.mode, answer=answer, pieces=options.pieces, seconds=options.seconds)
            app.fault = options.fault if number == 0 else None
            if options.console is not None:
                app.draft = simple_flow(mode=options.mode)
                app.publish()
            dify.add(app)
            print(app.key, app.mode, app.id, app.name)
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
