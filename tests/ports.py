"""Finds free ports for programs that cannot find one themselves."""

import socket


def free_ports(count):
    """`count` different ports at which nothing listens."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def free_port():
    """A port at which nothing listens."""
    return free_ports(1)[0]
