"""Bare servers that read a JSON POST and answer JSON, to compare with.

`python -m bench.echo tornado` is what one Tornado process can give, `python -m bench.echo
starlette` what Starlette gives on uvicorn, with httptools and uvloop.
"""

import asyncio
import json
import socket
import sys

from tornado.netutil import bind_sockets


def _answer(body: bytes) -> dict:
    return {"message": "Signal created successfully.", "rowid": len(json.loads(body))}


def tornado(listening: socket.socket) -> None:
    """Serves until the process is ended."""
    from tornado.httpserver import HTTPServer
    from tornado.web import Application, RequestHandler

    class Echo(RequestHandler):
        def post(self) -> None:
            self.set_status(201)
            self.write(_answer(self.request.body))

    async def serve() -> None:
        HTTPServer(Application([(r"/v3/webhook", Echo)])).add_socket(listening)
        await asyncio.Event().wait()

    asyncio.run(serve())


def starlette(listening: socket.socket) -> None:
    """Serves until the process is ended."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def echo(request: Request) -> JSONResponse:
        return JSONResponse(_answer(await request.body()), 201)

    app = Starlette(routes=[Route("/v3/webhook", echo, methods=["POST"])])
    how = {"http": "httptools", "loop": "uvloop", "log_level": "error", "access_log": False}
    uvicorn.Server(uvicorn.Config(app, **how)).run([listening])


if __name__ == "__main__":
    [listening] = bind_sockets(0, "127.0.0.1")
    print(f"echo listens at http://127.0.0.1:{listening.getsockname()[1]}/", flush=True)
    {"tornado": tornado, "starlette": starlette}[sys.argv[1]](listening)
