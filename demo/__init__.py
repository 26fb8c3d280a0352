"""A day to look at: TradingView and the bridge played against a server by plain clients."""
