"""The server of the playground, on 127.0.0.1 only."""

import contextlib
import socket
from collections.abc import Callable

from keras_bert.errors import InputError
from keras_bert.extras import require

HOST = "127.0.0.1"  # never another address: the server has no users and no passwords
MAX_CONNECTIONS = 32


def bind(port: int) -> socket.socket:
    """Reserve a port of 127.0.0.1.

    Args:
        port: its number; 0 for any free port.

    Returns:
        The socket.

    Raises:
        InputError: the port is used by another program, or may not be used.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise InputError(
            f"`--port` must be a free port of this machine. Received: {port} ({error.strerror}). Use --port 0 for any."
        ) from None
    return listener


def serve(load: Callable, listener: socket.socket, started: Callable[[], None]) -> None:
    """Run the playground until Ctrl-C.

    Args:
        load: function that returns the `PlaygroundModels` and the panels.
        listener: from `bind`.
        started: function that is called when the server accepts requests.

    Raises:
        InputError: starlette or uvicorn is not installed.
    """
    uvicorn = require("uvicorn", "the playground")
    require("starlette", "the playground")
    from keras_bert.playground.app import create_app

    with listener:
        port = listener.getsockname()[1]
        app = create_app(*load(), port)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=5,
            h11_max_incomplete_event_size=16 * 1024,
            timeout_graceful_shutdown=2,
        )

        class Server(uvicorn.Server):
            async def startup(self, sockets=None) -> None:
                await super().startup(sockets)
                started()

        with contextlib.suppress(KeyboardInterrupt):  # uvicorn ends its requests, then raises it again
            Server(config).run([listener])
