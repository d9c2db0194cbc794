"""``fairlock verify`` says of every vector what the verifier says, and ends with the exit code that scripts rely on."""

import json
from pathlib import Path
from typing import Any

import pytest

from app import verify
from app.contract.sealing.verify import INTACT
from tests.vectors.test_vectors import FOLDER, INDEX


@pytest.mark.parametrize("entry", INDEX, ids=[entry["name"] for entry in INDEX])
def test_the_command_gives_each_vector_its_outcome(
    entry: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(FOLDER / entry["folder"]), "--json"]
    if entry["pin"] is not None:
        arguments.append(f"--pin={entry['pin']}")
    if entry["key"] is not None:
        secret = tmp_path / "passphrase"
        secret.write_text(entry["passphrase"])
        arguments += ["--key", str(FOLDER / entry["key"]), "--passphrase-file", str(secret)]
    code = verify.main(arguments)
    said = json.loads(capsys.readouterr().out)
    assert [[one["outcome"], one["where"]] for one in said.get("grants", [])] == entry["grants"]
    if entry["unreadable"]:
        assert code == verify.EXIT_UNREADABLE
        assert said["error"]["code"] == entry["outcome"]
    elif entry["outcome"] == "ok":
        assert said["chain"] == INTACT
        assert code == (verify.EXIT_COMPLETE if entry["complete"] else verify.EXIT_INCOMPLETE)
    else:
        assert said["chain"] == entry["outcome"]
        assert code == verify.EXIT_FAULTS
        assert [[fault["outcome"], fault["where"]] for fault in said["faults"]] == entry["faults"]
