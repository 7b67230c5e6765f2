"""Serves the API on 127.0.0.1 and the port given by PORT."""

import os

import uvicorn

from service.api import create_app
from service.storage import open_storage

if __name__ == "__main__":
    app = create_app(open_storage(os.environ.get("DATABASE_URL")))
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8080")), log_level="info")
