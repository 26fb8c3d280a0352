"""Market hours and quiet times: wall clocks, nights, days, and the two nights of a year."""

from datetime import UTC, datetime

import pytest

from trading.hours import Hours, markets, window

NEW_YORK = "America/New_York"
# 2026-11-23 is a Monday. New York sets its clocks at 2026-03-08 and 2026-11-01, Berlin at
# 2026-03-29 and 2026-10-25.


def at(text):
    """A UTC time as Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


HOLDS = [
    ("09:30-16:00", "2026-11-23 09:29:59", False),
    ("09:30-16:00", "2026-11-23 09:30:00", True),
    ("09:30-16:00", "2026-11-23 15:59:59", True),
    ("09:30-16:00", "2026-11-23 16:00:00", False),
    ("00:00-24:00", "2026-11-23 23:59:59", True),
    ("09:30-16:00 mon-fri", "2026-11-21 12:00:00", False),
    ("09:30-16:00 MON wed", "2026-11-23 12:00:00", True),
    ("09:30-16:00 mon wed", "2026-11-24 12:00:00", False),
    ("09:30-16:00 mon wed", "2026-11-25 12:00:00", True),
    ("22:00-07:00", "2026-11-23 21:59:59", False),
    ("22:00-07:00", "2026-11-23 22:00:00", True),
    ("22:00-07:00", "2026-11-24 06:59:59", True),
    ("22:00-07:00", "2026-11-24 07:00:00", False),
    # A night belongs to the day on which it begins.
    ("22:00-07:00 fri", "2026-11-20 23:00:00", True),
    ("22:00-07:00 fri", "2026-11-21 06:00:00", True),
    ("22:00-07:00 fri", "2026-11-21 23:00:00", False),
    ("22:00-07:00 fri", "2026-11-20 06:00:00", False),
    ("10:00-11:00 sat-mon", "2026-11-22 10:30:00", True),
    ("10:00-11:00 sat-mon", "2026-11-24 10:30:00", False),
    # The market opens at 09:30 on its own clocks, whatever UTC has.
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-03-06 14:29:00", False),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-03-06 14:30:00", True),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-03-09 13:29:00", False),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-03-09 13:30:00", True),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-03-09 20:00:00", False),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-10-30 13:30:00", True),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-11-02 13:30:00", False),
    (f"{NEW_YORK} 09:30-16:00 mon-fri", "2026-11-02 14:30:00", True),
    # The hour that comes twice is in the window twice; the one that is left out never is.
    ("Europe/Berlin 02:00-03:00", "2026-10-25 00:30:00", True),
    ("Europe/Berlin 02:00-03:00", "2026-10-25 01:30:00", True),
    ("Europe/Berlin 02:00-03:00", "2026-10-25 02:00:00", False),
    ("Europe/Berlin 02:00-03:00", "2026-03-29 00:59:59", False),
    ("Europe/Berlin 02:00-03:00", "2026-03-29 01:00:00", False),
    ("Europe/Berlin 22:00-07:00", "2026-03-29 04:59:59", True),
    ("Europe/Berlin 22:00-07:00", "2026-03-29 05:00:00", False),
]


@pytest.mark.parametrize(("text", "moment", "expected"), HOLDS)
def test_a_window_holds_on_the_clocks_of_its_zone(text, moment, expected):
    assert window(text).holds(at(moment), "") == expected


def test_a_window_without_a_zone_is_in_that_of_the_settings():
    quiet = window("22:00-07:00")
    assert quiet.holds(at("2026-11-24 04:00:00"), NEW_YORK)  # 23:00 there
    assert not quiet.holds(at("2026-11-23 22:30:00"), NEW_YORK)
    assert window("Europe/Berlin 22:00-07:00").holds(at("2026-11-23 21:30:00"), NEW_YORK)


ALLOWED = [
    ("2026-11-23 15:00:00", True),
    ("2026-11-23 14:00:00", False),  # before the opening
    ("2026-11-23 17:30:00", False),  # lunch
    ("2026-11-22 15:00:00", False),  # a Sunday
    ("2026-11-27 15:00:00", True),
]


@pytest.mark.parametrize(("moment", "expected"), ALLOWED)
def test_people_are_told_in_market_hours_outside_of_quiet_times(moment, expected):
    hours = Hours([f"{NEW_YORK} 09:30-16:00 mon-fri"], ["12:00-13:00"], NEW_YORK)
    assert hours.allow(at(moment)) == expected


def test_without_hours_people_are_told_at_any_time():
    assert Hours([], [], "").allow(at("2026-11-22 03:00:00"))
    assert not Hours([], ["02:00-04:00"], "").allow(at("2026-11-22 03:00:00"))


HOLIDAYS = [
    # the hours, the settings' zone, a moment and whether entries are traded then
    ([], NEW_YORK, "2026-11-26 05:00:00", False),  # Thanksgiving begins at midnight there
    ([], NEW_YORK, "2026-11-26 04:59:59", True),
    ([], NEW_YORK, "2026-11-27 04:59:59", False),
    ([], NEW_YORK, "2026-11-27 05:00:00", True),
    ([], "", "2026-11-26 00:00:00", False),
    ([], "", "2026-11-25 23:59:59", True),
    # The zone of the hours decides, not that of the settings.
    ([f"{NEW_YORK} 00:00-24:00"], "Asia/Tokyo", "2026-11-26 04:59:59", True),
    ([f"{NEW_YORK} 00:00-24:00"], "Asia/Tokyo", "2026-11-26 05:00:00", False),
    # In summer midnight comes an hour earlier.
    ([f"{NEW_YORK} 00:00-24:00"], "", "2026-07-03 03:59:59", True),
    ([f"{NEW_YORK} 00:00-24:00"], "", "2026-07-03 04:00:00", False),
    ([f"{NEW_YORK} 09:30-16:00 mon-fri"], "", "2027-11-25 15:00:00", False),
    ([f"{NEW_YORK} 09:30-16:00 mon-fri"], "", "2027-11-26 15:00:00", True),
]


@pytest.mark.parametrize(("within", "zone", "moment", "expected"), HOLIDAYS)
def test_a_holiday_of_the_market_is_a_day_of_its_zone(within, zone, moment, expected):
    assert Hours(within, [], zone, "NYSE").allow(at(moment)) == expected


def test_every_market_that_may_be_set_has_a_calendar():
    names = markets()
    assert {"NYSE", "XNYS"} & {*names}
    for name in names:
        Hours([], [], "", name).allow(at("2026-11-24 15:00:00"))
