"""The API's schema without a running server: what the front end's types are made of.

``python -m app.http.schema FILE`` writes it; the build of ``web/`` does so before it compiles.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from prometheus_client import CollectorRegistry

from app.http.app import create_app
from app.http.state import AppState
from app.settings import Settings


def api_schema() -> dict[str, Any]:
    """Return the OpenAPI document; nothing is served and nothing is opened."""
    nothing_runs = SimpleNamespace(
        settings=Settings.model_construct(), registry=CollectorRegistry(), faces=None
    )
    return create_app(cast(AppState, nothing_runs)).openapi()


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(api_schema(), indent=1, sort_keys=True), encoding="utf-8")
