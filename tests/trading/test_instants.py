"""Instants: every form that clients write becomes the one that is stored."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import instants

TAKEN = [
    ("2026-11-22 09:40:13", "2026-11-22 09:40:13"),
    ("2026-11-22 09:40:13.5", "2026-11-22 09:40:13"),
    ("2026-11-22 09:40:13.999999", "2026-11-22 09:40:13"),
    ("2026-11-22T09:40:13", "2026-11-22 09:40:13"),
    ("2026-11-22T09:40:13Z", "2026-11-22 09:40:13"),
    ("2026-11-22T09:40:13.123Z", "2026-11-22 09:40:13"),
    ("2026-11-22T09:40:13+02:00", "2026-11-22 07:40:13"),
    ("2026-11-22T09:40:13-0530", "2026-11-22 15:10:13"),
    ("2026-12-31T23:59:59-00:01", "2027-01-01 00:00:59"),
    ("1705331385", "2024-01-15 15:09:45"),
    ("1705331385158", "2024-01-15 15:09:45"),
    (" 1705331385999.9\n", "2024-01-15 15:09:45"),
    ("1705331385.999999999", "2024-01-15 15:09:45"),
    ("1705331385.", "2024-01-15 15:09:45"),
    ("100000000", "1973-03-03 09:46:40"),
    ("99999999999", "5138-11-16 09:46:39"),
    ("100000000000", "1973-03-03 09:46:40"),
    ("9999999999999", "2286-11-20 17:46:39"),
    (" 2024-02-29 00:00:00\n", "2024-02-29 00:00:00"),
    ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
    ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),
]
REFUSED = [
    *("", "now", "2026-11-22", "09:40:13", "2026-11-22 9:40:13", "22.11.2026 09:40:13"),
    *("2026-13-01 00:00:00", "2026-02-29 00:00:00", "2026-11-22 24:00:01", "2026-11-22 09:60:00"),
    *("2026-11-22T09:40:13+25:00", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
    *(
        "0",
        "2026",
        "20261122",
        "99999999",
        "0100000000",
        "20261122094013",
        "1705331385158000",
        "-1705331385",
    ),
    *("+1705331385", "1705331385e3", "1.7e9", "١٧٠٥٣٣١٣٨٥", "1705331385 158", "1_705_331_385"),
    *("2026-11-22 09:40:13 PST", "2026-W47-7T09:40:13", "20261122T094013"),
    *("٢٠٢٦-11-22 09:40:13", "2026-11-22 09:40:13" + "0" * 500, "2026-11-22 09:40:13\x00"),
]


@pytest.mark.parametrize(("text", "instant"), TAKEN)
def test_an_instant_is_read_in_each_form(text, instant):
    assert instants.parse(text) == instant


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_no_instant(text):
    with pytest.raises(ValueError, match="must be a time"):
        instants.parse(text)


@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),
    st.integers(-23 * 60, 23 * 60),
)
def test_offsets_are_taken_into_account_and_stored_texts_sort_by_time(moment, minutes):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    stored = instants.parse(aware.isoformat())
    whole = aware.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    assert datetime.fromisoformat(stored) == whole
    assert len(stored) == 19
    assert instants.parse(stored) == stored


@given(st.integers(10**8, 10**10 - 1), st.integers(0, 999))
def test_unix_seconds_and_milliseconds_name_the_same_instant(seconds, thousandths):
    instant = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    for text in (f"{seconds}", f"{seconds}{thousandths:03}", f"{seconds}.{thousandths:03}"):
        assert instants.parse(text) == instants.parse_bound(text, last=True) == instant


@pytest.mark.parametrize(
    ("text", "absolute"),
    [
        *((text, True) for text in ("1705331385", "1705331385158", "2026-11-22T09:40:13Z")),
        *((text, True) for text in ("2026-11-22 09:40:13+02:00", "2026-11-22T09:40 -05")),
        *((text, False) for text in ("2026-11-22", "2026-11-22 09:40:13", "2026-11-22T09:40")),
    ],
)
def test_an_instant_may_need_no_zone(text, absolute):
    assert instants.is_absolute(text) is absolute


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader(text):
    try:
        assert len(instants.parse(text)) == 19
    except ValueError as error:
        assert str(error).startswith("must be a time")


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-11-22", "2026-11-22 00:00:00", "2026-11-22 23:59:59"),
        ("2026-11-22 09:40:13", "2026-11-22 09:40:13", "2026-11-22 09:40:13"),
        ("2026-11-22T09:40:13+02:00", "2026-11-22 07:40:13", "2026-11-22 07:40:13"),
    ],
)
def test_a_bare_date_means_its_first_or_last_second(text, first, last):
    assert instants.parse_bound(text, last=False) == first
    assert instants.parse_bound(text, last=True) == last
