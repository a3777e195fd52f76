from eth_account import Account as Wallet

from apps.monitor.demo.paper import ACCOUNTS, PURPOSES, accounts_at, paper_secrets
from apps.monitor.demo.venues import HOME, VENUES, venues_named


def test_every_account_and_purpose_has_a_wallet_of_its_own():
    addresses = [account.signer_address(purpose) for account in ACCOUNTS for purpose in PURPOSES]
    addresses += [account.address for account in ACCOUNTS]
    assert len(set(addresses)) == len(ACCOUNTS) * (len(PURPOSES) + 1)


def test_the_secrets_are_the_keys_of_the_named_wallets():
    secrets = paper_secrets(ACCOUNTS)
    for account in ACCOUNTS:
        for purpose in PURPOSES:
            key = secrets[account.secret_name(purpose)]
            assert Wallet.from_key(key).address.lower() == account.signer_address(purpose)
    assert "PAPER_TREND_ORDERS_KEY" in secrets


def test_the_owners_key_is_given_to_nobody():
    keys = set(paper_secrets(ACCOUNTS).values())
    assert not keys & {account.master_key for account in ACCOUNTS}


def test_the_keys_are_the_same_in_every_run():
    assert ACCOUNTS[0].address == ACCOUNTS[0].address == "0x" + ACCOUNTS[0].address[2:].lower()


def test_api_keys_carry_their_public_name_and_every_purpose_has_its_own():
    (trend, _) = accounts_at(venues_named("bybit"))
    secrets = [trend.secret(purpose) for purpose in PURPOSES]
    assert len(set(secrets)) == len(PURPOSES)
    assert [secret.partition(":")[0] for secret in secrets] == [trend.signer_address(p) for p in PURPOSES]


def test_the_chain_account_signs_for_itself_with_one_key():
    (trend, _) = accounts_at(venues_named("dydx"))
    assert trend.address.startswith("dydx1")
    assert {trend.secret(purpose) for purpose in PURPOSES} == {trend.master_key}
    assert {trend.signer_address(purpose) for purpose in PURPOSES} == {trend.address}


def test_each_venue_has_two_accounts_the_one_at_home_four_and_no_secret_name_twice():
    accounts = accounts_at(venues_named("all"))
    at_home = {account.code for account in accounts if account.venue_code == HOME}
    assert at_home == {"paper-trend", "paper-maker", "paper-swing", "paper-group"}
    assert len(accounts) == 2 * (len(VENUES) - 1) + len(at_home)
    assert len(paper_secrets(accounts)) == len(accounts) * len(PURPOSES)
