"""A server on this machine that implements the protocols of the Hugging Face Hub, Kaggle and TF-Hub, for tests."""

import contextlib
import hashlib
import http.server
import json
import threading
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer(http.server.ThreadingHTTPServer):
    """Serves repositories, and records the requests.

    Attributes:
        models: name of a Hugging Face repository, handle of Kaggle with its version, or path of TF-Hub (whose only file
            is "archive", a tar.gz), to a dict of file to bytes.
        private: names that need the access token `"secret"`.
        downloads: the paths of the files that were downloaded, in order.
        tokens: the values of the header `Authorization`.
        limit: number of requests until the server closes connections without an answer; None for no limit.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models, self.private, self.downloads, self.tokens, self.limit = {}, set(), [], [], None

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """Print nothing: clients close connections."""


@contextlib.contextmanager
def serve():
    """Run a `HubServer` in a thread."""
    with HubServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Print nothing."""

    def do_GET(self):
        """Answer a request of `huggingface_hub`."""
        if self._is_cut():
            return
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).strip("/")
        if self.path.endswith("?tf-hub-format=compressed"):
            self._send(200, self.server.models[path]["archive"], {"Content-Type": "application/x-tar"})
        elif path.startswith("api/models/"):
            self._answer_about(path.removeprefix("api/models/"))
        else:
            self._send_file(path)

    do_HEAD = do_GET

    def do_POST(self):
        """Answer a request of `kagglehub`."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._is_cut():
            return
        framework = {"keras": "KERAS", "MODEL_FRAMEWORK_KERAS": "KERAS"}.get(asked.get("framework"), "")
        handle = f"{asked['ownerSlug']}/{asked['modelSlug']}/{framework.lower()}/{asked['instanceSlug']}"
        versions = sorted(int(name.rsplit("/", 1)[1]) for name in self.server.models if name.startswith(f"{handle}/"))
        if not versions:
            self._send_json({"code": 404, "message": "Not found"}, 404)
        elif self.path.endswith("/GetModelInstance"):
            self._send_json({"versionNumber": versions[-1]})
        else:
            files = self.server.models.get(f"{handle}/{asked['versionNumber']}", {})
            if self.path.endswith("/ListModelInstanceVersionFiles"):
                self._send_json({"files": [{"name": name} for name in files], "nextPageToken": ""})
            else:
                self.server.downloads.append(asked["path"])
                self._send(200, files[asked["path"]], {"Content-Type": "application/octet-stream"})

    def _is_cut(self) -> bool:
        self.server.tokens.append(self.headers.get("Authorization"))
        if self.server.limit is not None:
            self.server.limit -= 1
            if self.server.limit < 0:
                self.close_connection = True
                return True
        return False

    def _files(self, name: str):
        """Return the files of a repository; None, after an answer, if there is none or it may not be read."""
        if name in self.server.private and self.headers.get("Authorization") != "Bearer secret":
            self._send_json({"error": "Access is restricted"}, 401, {"X-Error-Code": "GatedRepo"})
        elif name not in self.server.models:
            self._send_json({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        else:
            return self.server.models[name]
        return None

    def _answer_about(self, path: str):
        name, _, revision = path.partition("/revision/")
        name, is_tree, revision_of_tree = name.partition("/tree/")
        revision = revision or revision_of_tree or "main"
        files = self._files(name)
        if files is None:
            return
        if revision not in ("main", COMMIT):
            self._send_json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
        elif is_tree:
            self._send_json(
                [
                    {"type": "file", "path": file, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                    for file, content in files.items()
                ]
            )
        else:
            self._send_json({"id": name, "sha": COMMIT, "siblings": [{"rfilename": file} for file in files]})

    def _send_file(self, path: str):
        name, _, rest = path.partition("/resolve/")
        revision, _, file = rest.partition("/")
        files = self._files(name)
        if files is None:
            return
        if file not in files:
            self._send_json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        if self.command == "GET":
            self.server.downloads.append(file)
        tag = hashlib.sha256(files[file]).hexdigest()
        self._send(200, files[file], {"X-Repo-Commit": COMMIT, "ETag": f'"{tag}"'})

    def _send_json(self, value, status: int = 200, headers=()):
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **dict(headers)})

    def _send(self, status: int, content: bytes, headers: dict):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
