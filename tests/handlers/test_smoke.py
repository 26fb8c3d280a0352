import pytest


@pytest.mark.gen_test
async def test_an_alert_is_stored_and_read_back(api):
    await api.register_pair()
    answer = await api.alert()
    assert (answer.status, answer.json) == (
        201,
        {"message": "Signal created successfully.", "rowid": 1},
    )
    assert (await api.get("/v3/signal/1")).json["order_status"] == "waiting"
