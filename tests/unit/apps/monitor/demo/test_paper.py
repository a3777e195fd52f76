from eth_account import Account as Wallet

from apps.monitor.demo.paper import ACCOUNTS, PURPOSES, paper_secrets


def test_every_account_and_purpose_has_a_wallet_of_its_own():
    addresses = [account.agent_address(purpose) for account in ACCOUNTS for purpose in PURPOSES]
    addresses += [account.address for account in ACCOUNTS]
    assert len(set(addresses)) == len(ACCOUNTS) * (len(PURPOSES) + 1)


def test_the_secrets_are_the_keys_of_the_named_wallets():
    secrets = paper_secrets(ACCOUNTS)
    for account in ACCOUNTS:
        for purpose in PURPOSES:
            key = secrets[account.secret_name(purpose)]
            assert Wallet.from_key(key).address.lower() == account.agent_address(purpose)
    assert "PAPER_TREND_ORDERS_KEY" in secrets


def test_the_owners_key_is_given_to_nobody():
    keys = set(paper_secrets(ACCOUNTS).values())
    assert not keys & {account.master_key for account in ACCOUNTS}


def test_the_keys_are_the_same_in_every_run():
    assert ACCOUNTS[0].address == ACCOUNTS[0].address == "0x" + ACCOUNTS[0].address[2:].lower()
