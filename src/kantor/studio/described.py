"""What ``/openapi.json`` says of the bodies that the server does not read itself.

The routes pass bodies on unread (:mod:`kantor.studio.pool`), so FastAPI knows nothing of their shapes. They are
described here as it would: each by its name among the components, ``Name-Input`` where an answer has the name already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from kantor.studio import bodies

__all__ = ["described"]

WHERE = "#/components/schemas/"


def described(document: dict[str, Any], shapes: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI document with bodies: ``shapes`` are names of :mod:`kantor.studio.bodies` by paths that post them."""
    asked: Any = [(path, "validation", TypeAdapter(getattr(bodies, shape))) for path, shape in shapes.items()]
    found, defined = TypeAdapter.json_schemas(asked, ref_template=f"{WHERE}{{model}}")
    known = document["components"]["schemas"]
    text = json.dumps([{path: found[path, "validation"] for path in shapes}, defined["$defs"]])
    for name in defined["$defs"]:
        if name in known:
            text = text.replace(f'"{WHERE}{name}"', f'"{WHERE}{name}-Input"')
    tops, definitions = json.loads(text)
    for path, schema in tops.items():
        body = {"required": True, "content": {"application/json": {"schema": schema}}}
        document["paths"][path]["post"]["requestBody"] = body
    document["components"]["schemas"] = dict(
        sorted(
            {**known, **{f"{name}-Input" if name in known else name: one for name, one in definitions.items()}}.items()
        )
    )
    return document
