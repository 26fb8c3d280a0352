"""The server as it is deployed: supervised, upgraded, behind proxies, from an archive."""
