"""Archives that were made to do harm are refused in one sentence."""

import orjson
import pytest

from services import archive


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 5},
        {"steps": [["0001"]]},
        {"table": ["signal"]},
        {"table": {}},
        {"columns": [["id"]]},
        {"columns": "id"},
        {"last_id": 2**63},
        {"last_id": -1},
    ],
)
def test_a_line_that_is_none_of_ours_is_refused(store, change):
    lines = list(archive.dump(store, {}, lambda count: None))
    assert archive.load(store, lines, lambda count: None).rows == 0
    at = next(n for n, line in enumerate(lines) if set(change) <= set(orjson.loads(line)))
    lines[at] = orjson.dumps(orjson.loads(lines[at]) | change)
    with pytest.raises(archive.ArchiveRefused):
        archive.load(store, lines, lambda count: None)
