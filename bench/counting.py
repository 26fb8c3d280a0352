"""The server as it is, and at its end the number of commits as a line on stdout."""

import asyncio
import sys

import commands
import server


def main(arguments: list[str]) -> None:
    """Serves until a signal stops it."""
    conf = commands.read_line(arguments).conf
    server.start_logging(conf.log_level)
    app = server.open_application(conf)
    asyncio.run(server.serve(conf, app))
    print(f"commits={app.writer.commits}")


if __name__ == "__main__":
    main(sys.argv[1:])
