"""The ceiling: a bare Tornado handler that parses a JSON POST and answers JSON."""

import asyncio
import json

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler


class Echo(RequestHandler):
    """Parses the body and answers a small JSON object."""

    def post(self) -> None:
        body = json.loads(self.request.body)
        self.set_status(201)
        self.write({"message": "Signal created successfully.", "rowid": len(body)})


async def main() -> None:
    """Listens at a free port until it is ended."""
    server = HTTPServer(Application([(r"/v3/webhook", Echo)]))
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    print(f"echo listens at http://127.0.0.1:{sockets[0].getsockname()[1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
