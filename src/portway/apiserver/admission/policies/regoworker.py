"""A process of its own that evaluates Rego, so that what takes too long can be killed.

Run as a script; one JSON object a line: {"source", "query", "input"} in, {"found"} or {"error"} out. It imports nothing
of Portway, to start fast. It ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    from regopy import Interpreter, set_default_log_level

    set_default_log_level("None")
    prepared: dict[tuple[str, str], tuple[Any, Any]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        key = (asked["source"], asked["query"])
        try:
            if key not in prepared:
                if len(prepared) > 256:
                    prepared.clear()
                interpreter = Interpreter()
                interpreter.add_module("policy.rego", asked["source"])
                prepared[key] = (interpreter, interpreter.build(asked["query"], []))
            interpreter, bundle = prepared[key]
            interpreter.set_input(asked["input"])
            output = interpreter.query_bundle(bundle)
            answer: dict[str, Any] = {"found": json.loads(str(output))} if output.ok() else {"error": str(output)}
        except Exception as error:  # whatever is wrong with one module must not end the process
            answer = {"error": str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
