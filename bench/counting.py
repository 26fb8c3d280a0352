"""The server as it is, and at its end the number of commits as a line on stdout."""

import asyncio
import sys

import models
import server
from handlers import PairsApplication


def main(arguments: list[str]) -> None:
    """Serves until a signal stops it."""
    conf, _ = server.read_command_line(arguments)
    server.start_logging(conf.log_level)
    database = models.open_store(conf.database, conf.synchronous)
    token_key = server.prepare_store(conf)
    database.close()
    app = PairsApplication(conf, database, token_key)
    asyncio.run(server.serve(conf, app))
    print(f"commits={app.writer.commits}")


if __name__ == "__main__":
    main(sys.argv[1:])
