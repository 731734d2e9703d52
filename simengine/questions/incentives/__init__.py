"""Responses of providers and referrers to a contract."""
