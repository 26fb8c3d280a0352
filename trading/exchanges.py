"""The exchanges that charts name before a symbol, and the currencies that shares trade in there.

Shares of an exchange that is not listed here may trade in any currency.
"""

# Where charts take the prices of currency pairs and of crypto from.
_NO_SHARES = {
    "CASH": "FX FX_IDC IDC OANDA FOREXCOM SAXO PEPPERSTONE ICMARKETS IDEALPRO",
    "CRYPTO": "CRYPTO BINANCE BINANCEUS BITFINEX BITGET BITMEX BITSTAMP BYBIT COINBASE DERIBIT"
    " GATEIO GEMINI HTX HUOBI KRAKEN KUCOIN MEXC OKX PAXOS POLONIEX UPBIT",
}
_US = "NYSE NASDAQ AMEX ARCA NYSEARCA NYSEMKT BATS CBOE BOATS IEX OTC OTCMKTS PINK ISLAND"
# {currencies, the usual one first: exchanges}; most funds in a second currency trade in London,
# Zurich and Hong Kong.
_LISTED = {
    "USD": _US,
    "CAD USD": "TSX TSXV NEO CSE",
    "BRL": "BMFBOVESPA",
    "MXN": "BMV BIVA",
    "ARS USD": "BCBA BYMA",
    "CLP USD": "BCS",
    "COP": "BVC",
    "PEN USD": "BVL",
    "GBP GBX USD EUR": "LSE LSIN AQUIS",
    "EUR": "EURONEXT XETR FWB SWB BER DUS HAM HAN MUN GETTEX TRADEGATE LS LSX MIL BME VIE ATHEX"
    " OMXHEX OMXTSE OMXRSE OMXVSE CSECY",
    "EUR USD": "EUROTLX LUXSE",
    "CHF EUR USD GBP": "SIX BX",
    "SEK EUR": "OMXSTO NGM",
    "DKK": "OMXCOP",
    "ISK": "OMXICE",
    "NOK": "OSL",
    "PLN": "GPW NEWCONNECT",
    "CZK EUR": "PSECZ",
    "HUF EUR": "BET",
    "RON": "BVB",
    "RSD": "BELEX",
    "TRY": "BIST",
    "RUB USD": "MOEX RUS",
    "AUD": "ASX",
    "NZD AUD": "NZX",
    "HKD CNY CNH USD": "HKEX",
    "CNY CNH USD HKD": "SSE SZSE",
    "JPY CAD": "TSE",  # Tokyo on charts; the broker's name of Toronto
    "JPY": "NAG FSE SAPSE",
    "KRW": "KRX",
    "TWD": "TWSE TPEX",
    "INR": "NSE BSE",
    "SGD USD EUR GBP AUD HKD CNY CNH JPY": "SGX",
    "MYR": "MYX",
    "IDR": "IDX",
    "THB": "SET",
    "PHP USD": "PSE",
    "VND": "HOSE HNX UPCOM",
    "PKR": "PSX",
    "BDT": "DSEBD",
    "LKR": "CSELK",
    "ILS ILA USD": "TASE",
    "SAR": "TADAWUL",
    "AED USD": "DFM ADX",
    "QAR": "QSE",
    "KWD KWF": "KSE",
    "BHD USD": "BAHRAIN",
    "EGP USD": "EGX",
    "ZAR ZAC": "JSE",
    "NGN": "NSENG",
    "KES": "NSEKE",
    "MAD": "CSEMA",
    "TND": "BVMT",
}
_TRADED = {
    exchange: currencies.split()
    for currencies, exchanges in _LISTED.items()
    for exchange in exchanges.split()
}
_CURRENCIES = {exchange: frozenset(traded) for exchange, traded in _TRADED.items()}
_USUAL = {exchange: traded[0] for exchange, traded in _TRADED.items()}
_TYPES = {exchange: kind for kind, names in _NO_SHARES.items() for exchange in names.split()}
ALL_CURRENCIES = frozenset().union(*_CURRENCIES.values())
US = frozenset(_US.split())
# The broker's names of primary exchanges, where it is known that they mean the same.
_PRIMARY = {"NASDAQ": "ISLAND", "NYSEARCA": "ARCA", "NYSEMKT": "AMEX"} | {
    name: name for name in ("NYSE", "AMEX", "ARCA", "BATS", "ISLAND")
}


def is_us(exchange: str) -> bool:
    """Whether this is an exchange in the United States."""
    return _name(exchange) in US


def primary(exchange: str | None) -> str | None:
    """The broker's name of this primary exchange; None where it is not known."""
    return _PRIMARY.get(_name(exchange)) if exchange else None


def currencies(exchange: str | None) -> frozenset[str]:
    """The currencies that shares trade in there; empty where the exchange is unknown or None."""
    return _CURRENCIES.get(_name(exchange), frozenset()) if exchange else frozenset()


def usual_currency(exchange: str | None) -> str | None:
    """The currency that most shares trade in there; None where the exchange is unknown."""
    return _USUAL.get(_name(exchange)) if exchange else None


def security_type(exchange: str) -> str:
    """`CASH` or `CRYPTO` where only currency pairs or only crypto trade there, else `STK`."""
    return _TYPES.get(_name(exchange), "STK")


def _name(exchange: str) -> str:
    """The name in capitals, without the mark of delayed prices: `LSE` for `LSE_DLY`."""
    return exchange.upper().removesuffix("_DLY")
