"""Addresses: the client behind a proxy, networks, and what counts as one sender."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from network import (
    PRESETS,
    client,
    has_bare_signs,
    is_loopback,
    neighbourhood,
    networks,
    plain,
    within,
)

PROXIES = networks(["127.0.0.1", "10.0.0.0/8", "::1"])
# The peer, X-Forwarded-For, and who is asked to be there.
CLIENTS = [
    ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # not our proxy, so its header is ignored
    ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the left one may be forged
    ("127.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
    ("127.0.0.1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
    ("127.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
    ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
    ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
    ("::1", "::ffff:198.51.100.1", "198.51.100.1"),
    ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("127.0.0.1", "198.51.100.1, unknown", "127.0.0.1"),
    ("127.0.0.1", "198.51.100.1, unknown, 10.2.3.4", "10.2.3.4"),
    ("127.0.0.1", "", "127.0.0.1"),
    ("127.0.0.1", ",,", "127.0.0.1"),
    ("127.0.0.1", "<script>", "127.0.0.1"),
]


@pytest.mark.parametrize(("peer", "forwarded", "expected"), CLIENTS)
def test_the_right_most_hop_that_is_no_proxy_of_ours_is_the_client(peer, forwarded, expected):
    assert client(peer, forwarded, PROXIES) == expected


addresses = st.ip_addresses().map(str)


@given(st.lists(addresses | st.text(max_size=20), max_size=5), addresses)
def test_what_a_sender_writes_never_hides_the_hop_that_our_proxy_saw(written, seen):
    found = client("127.0.0.1", ", ".join([*written, seen]), networks(["127.0.0.1"]))
    if not is_loopback(seen):
        assert ipaddress.ip_address(found) in (
            ipaddress.ip_address(seen),
            getattr(ipaddress.ip_address(seen), "ipv4_mapped", None),
        )


@given(addresses, st.text(max_size=40))
def test_without_proxies_of_ours_the_peer_is_the_client(peer, forwarded):
    assert client(peer, forwarded, ()) == plain(peer)


@given(st.ip_addresses(v=4).map(str))
def test_an_ipv4_address_that_is_written_as_ipv6_is_the_ipv4_address(address):
    mapped = f"::ffff:{address}"
    assert plain(mapped) == client(mapped, "", ()) == neighbourhood(mapped) == address
    for written in (address, mapped):
        assert within(mapped, networks([written]))
        assert within(address, networks([written]))


@pytest.mark.parametrize(
    ("address", "among", "expected"),
    [
        ("52.32.178.7", ["tradingview"], True),
        ("52.32.178.8", ["TradingView"], False),
        ("10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["10.0.0.1/8"], True),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"], True),
        ("10.1.2.3", ["::ffff:10.0.0.0/104"], True),
        ("11.1.2.3", ["::ffff:10.0.0.0/104"], False),
        ("::ffff:198.51.100.9", ["::ffff:198.51.100.9"], True),
        ("198.51.100.8", ["::ffff:198.51.100.9"], False),
        ("fe80::1%eth0", ["fe80::1"], True),
        ("2001:db8::9", ["2001:db8::/32", "10.0.0.0/8"], True),
        ("", ["10.0.0.0/8"], False),
        ("unix", ["0.0.0.0/0"], False),
        ("10.1.2.3", [], False),
    ],
)
def test_an_address_is_within_networks(address, among, expected):
    assert within(address, networks(among)) == expected


def test_tradingviews_addresses_are_those_of_its_documentation():
    assert set(PRESETS["tradingview"]) == {
        *("52.89.214.238", "34.212.75.30"),
        *("54.218.53.128", "52.32.178.7"),
    }


@pytest.mark.parametrize(
    "text", ["", "localhost", "10.0.0.0/33", "1.2.3", "trading view", "fe80::1%eth0"]
)
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        networks([text])


def test_an_ipv6_network_of_64_bits_counts_as_one_sender():
    assert neighbourhood("2001:db8:1:2::7") == neighbourhood("2001:db8:1:2:ffff::1")
    assert neighbourhood("2001:db8:1:2::7") != neighbourhood("2001:db8:1:3::7")
    assert neighbourhood("198.51.100.1") != neighbourhood("198.51.100.2")
    assert neighbourhood("") == ""


@pytest.mark.parametrize("sign", "#/?@")
def test_a_sign_that_ends_a_password_is_noticed_and_its_code_is_not(sign):
    for word in (f"pa{sign}ss", f"12{sign}34", f"{sign}", f"a{sign}b{sign}"):
        assert has_bare_signs(f"postgresql://me:{word}@host/name")
        assert not has_bare_signs(f"postgresql://me:{word.replace(sign, '%23')}@host/name")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pass@host:5432/name?sslmode=require",
        "postgresql:///name?host=/run/postgresql&user=me@host",
        "postgresql://host/name",
        "sqlite:///data.db",
    ],
)
def test_signs_elsewhere_in_a_databases_url_are_right(url):
    assert not has_bare_signs(url)
