"""What a browser calls itself, in words for its user; anybody may claim anything here."""

import re

# The first that fits: most browsers also claim to be those further down.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Vivaldi": "Vivaldi",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "HeadlessChrome": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def in_words(agent: str) -> str:
    """Such as "Firefox on Linux"; of a program its own name and version."""
    browser = next((name for key, name in _BROWSERS.items() if f"{key}/" in agent), "")
    system = next((name for key, name in _SYSTEMS.items() if key in agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    program = re.match(r"[\w.+-]{1,40}(/[\w.]{1,20})?", agent)
    return program[0] if program else ""
