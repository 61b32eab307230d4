"""The rights of a peer's istiod, with any credential."""

from mesh import reader_rules


def test_a_reader_reads_no_secret_and_writes_nothing() -> None:
    """No rule contains a wildcard, which would allow it."""
    assert reader_rules.READ == ("get", "list", "watch")
    rules = reader_rules.ReaderRights(secrets=False, endpoints=False).rules
    assert not {"secrets", "*"} & {name.partition("/")[0] for rule in rules for name in rule.resources}
    assert "*" not in {rule.api_group for rule in rules}


def test_secrets_have_a_rule_for_them_alone() -> None:
    """The rule is added to the others if istiod needs Secrets."""
    *others, secrets = reader_rules.ReaderRights(secrets=True, endpoints=False).rules
    assert others == list(reader_rules.ReaderRights(secrets=False, endpoints=False).rules)
    assert secrets == reader_rules.Rule(api_group="", resources=("secrets",))


def test_endpoints_are_for_an_older_istiod_alone() -> None:
    """Newer versions read EndpointSlices."""
    *others, endpoints = reader_rules.ReaderRights(secrets=False, endpoints=True).rules
    assert others == list(reader_rules.ReaderRights(secrets=False, endpoints=False).rules)
    assert endpoints.resources == ("endpoints",)
