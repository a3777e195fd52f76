"""The venue's limits: a second per account and endpoint, five for an address, minutes for its sockets."""

from apps.exchanges.mock.wire.bybit.limits import IP_BAN_SECONDS, IP_REQUESTS, SOCKETS, Windows

CREATE, BATCH, READ = "/v5/order/create", "/v5/order/create-batch", "/v5/order/realtime"


def test_each_account_and_endpoint_has_a_second_of_its_own() -> None:
    windows = Windows()
    assert [windows.spend("a", CREATE, 1, 100.0).granted for _ in range(11)] == [1] * 10 + [0]
    assert windows.spend("a", BATCH, 1, 100.5).granted == 1
    assert windows.spend("b", CREATE, 1, 100.5).granted == 1
    assert windows.spend("a", CREATE, 1, 101.0).granted == 1


def test_of_a_batch_the_first_orders_pass_alone() -> None:
    windows = Windows()
    assert windows.spend("a", BATCH, 8, 100.0).granted == 8
    part = windows.spend("a", BATCH, 8, 100.9)
    assert (part.granted, part.left) == (2, 0)
    assert windows.spend("a", BATCH, 1, 100.95).granted == 0


def test_headers_say_what_is_left_and_until_when() -> None:
    allowance = Windows().spend("a", READ, 1, 100.25)
    assert allowance.headers() == {
        "X-Bapi-Limit": "50",
        "X-Bapi-Limit-Status": "49",
        "X-Bapi-Limit-Reset-Timestamp": "101000",
    }


def test_an_address_that_goes_too_far_is_shut_out_and_let_in_again() -> None:
    windows = Windows()
    assert all(windows.admits_ip("1", 100.0) for _ in range(IP_REQUESTS))
    assert not windows.admits_ip("1", 101.0)
    assert windows.admits_ip("2", 101.0)
    # Waiting for the next five seconds does not help, waiting for the venue does.
    assert not windows.admits_ip("1", 110.0)
    assert windows.admits_ip("1", 101.0 + IP_BAN_SECONDS)


def test_an_address_may_open_so_many_sockets_in_five_minutes() -> None:
    windows = Windows()
    assert [windows.admits_socket("1", 10.0) for _ in range(SOCKETS + 1)] == [True] * SOCKETS + [False]
    assert windows.admits_socket("1", 310.0)
