"""Ports for programs that cannot find one themselves."""

import socket


def free_ports(count):
    """Different ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def free_port():
    """One of them."""
    return free_ports(1)[0]
