"""Plays a trading day: plain clients act as TradingView and as the bridge, against a server."""
