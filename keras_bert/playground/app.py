"""The web application of the playground: its page, and one address per panel."""

from importlib import resources

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keras_bert.errors import InputError
from keras_bert.playground.body import BodyError, read_texts
from keras_bert.playground.guard import Guard
from keras_bert.playground.model_queue import MAX_WAITING, BusyError, ModelQueue
from keras_bert.playground.panel import Panel

# Path to file and type. Only these files are served, from memory: no path of a request is ever opened.
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/panels.js": ("panels.js", "text/javascript; charset=utf-8"),
    "/views.js": ("views.js", "text/javascript; charset=utf-8"),
}


def create_app(models, panels: dict[str, Panel], port: int, max_waiting: int = MAX_WAITING) -> Guard:
    """Create the application.

    Args:
        models: the `PlaygroundModels`.
        panels: the panels by name, `PANELS`.
        port: the port of the server on 127.0.0.1, which the headers of requests must name.
        max_waiting: number of requests that may wait for a model. Beyond it, the answer is 503.

    Returns:
        The ASGI application: the page at `/`, `GET /api/facts`, and `POST /api/PANEL` for each panel, which takes
        and returns JSON. An error is `{"error": "one line"}`.
    """
    queue = ModelQueue(max_waiting)

    async def facts(request: Request) -> Response:
        found = {
            name: {
                "example": panel.example,
                "limits": panel.limits,
                "available": panel.available(models),
                "commands": panel.commands,
            }
            for name, panel in panels.items()
        }
        return JSONResponse({**models.facts(), "panels": found})

    routes = [Route("/api/facts", facts, methods=["GET"])]
    routes += [
        Route(f"/api/{name}", _endpoint(models, queue, panel), methods=["POST"]) for name, panel in panels.items()
    ]
    routes += [Route(path, _file(*file), methods=["GET"]) for path, file in FILES.items()]
    handlers = {404: _error, 405: _error, Exception: _internal_error}
    # Outside of Starlette, whose middleware would not see the answer to an exception.
    return Guard(Starlette(routes=routes, exception_handlers=handlers), port)


def _endpoint(models, queue: ModelQueue, panel: Panel):
    async def answer(request: Request) -> Response:
        if not panel.available(models):
            return JSONResponse({"error": f"no model for this panel; run: {'; '.join(panel.commands)}"}, 404)
        try:
            texts = await read_texts(request, panel.limits)

            async def is_connected() -> bool:
                return not await request.is_disconnected()

            found = await queue.run(lambda: panel.run(models, **texts), is_connected)
        except BodyError as error:
            return JSONResponse({"error": str(error)}, error.status)
        except InputError as error:
            return JSONResponse({"error": " ".join(str(error).split())}, 400)
        except BusyError:
            message = f"the model is busy and {queue.max_waiting} requests wait; try again"
            return JSONResponse({"error": message}, 503, {"Retry-After": "1"})
        return JSONResponse(found) if found is not None else Response(status_code=499)

    return answer


def _file(name: str, media_type: str):
    content = resources.files("keras_bert.playground").joinpath("static", name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return answer


async def _error(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return JSONResponse({"error": getattr(error, "detail", "error")}, status, getattr(error, "headers", None))


async def _internal_error(request: Request, error: Exception) -> Response:
    """Answer without details of the error: Starlette raises it again, and uvicorn logs it with its traceback."""
    return JSONResponse({"error": "the server failed; its terminal shows the reason"}, 500)
