"""Texts of any size for the clock: broken as models break them, and valid."""

import json
import random
from typing import Any

SCHEMA: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "name": {"type": "string"},
            "score": {"type": "number"},
            "active": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["id", "name"],
    },
}


def broken(size: int) -> str:
    """Prose, an open fence, records with trailing and missing commas, bare keys, True and comments; cut at the end."""
    chance = random.Random(size)  # noqa: S311 - a seeded mix of numbers, no secret
    parts, length = ["Here is the JSON you asked for:\n\n```json\n[\n"], 0
    while length < size:
        truth, end, score_end, text_end = (
            chance.choice(marks)
            for marks in (("True", "false", "true"), (",", ",", ""), (",", ", // of 100", ","), (",", "", ","))
        )
        record = (
            f'  {{\n    "id": {chance.randint(1, 10**6)},\n    name: "user {chance.randint(1, 999)}",\n'
            f'    "email": "u{chance.randint(1, 999)}@example.com",\n    "active": {truth},\n'
            f'    "score": {chance.random() * 100:.3f}{score_end}\n    "tags": ["x", "y",],\n'
            f'    "text": "Words, and more of them: {chance.randint(1, 9999)}."{text_end}\n'
            f'    "address": {{street: "Main St {chance.randint(1, 9999)}", "city": "Berlin"}},\n  }}{end}\n'
        )
        parts.append(record)
        length += len(record)
    return "".join(parts)[:size]


def valid(size: int) -> str:
    """An array of records, indented."""
    chance = random.Random(size)  # noqa: S311 - a seeded mix of numbers, no secret
    records = [
        {
            "id": chance.randint(1, 10**6),
            "name": f"user {number}",
            "score": round(chance.random() * 100, 2),
            "active": number % 3 == 0,
            "tags": ["x", "y"],
            "text": f"Words, and more of them: {number}.",
        }
        for number in range(size // 150)
    ]
    return json.dumps(records, indent=1)
