"""Log lines on stderr: time, level, request id and the message, as key=value."""

import logging
import sys
import time
from functools import lru_cache

access = logging.getLogger("pairs.access")


class LogLine(logging.Formatter):
    """The form of every line."""

    def format(self, record: logging.LogRecord) -> str:
        head = line_head(record.created, record.levelname.lower(), "-")
        line = f'{head} message="{_one_line(record.getMessage())}"'
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def line_head(created: float, level: str, request_id: str) -> str:
    """How a line begins; the time is Unix seconds."""
    whole = int(created)
    thousandths = int(1000 * (created - whole))
    return f"time={_second(whole)}.{thousandths:03d}Z level={level} request_id={request_id}"


@lru_cache(2)
def _second(whole: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))


def _one_line(text: str) -> str:
    return " ".join(text.replace('"', "'").split())


def start_logging(level: str) -> None:
    """Lets lines of this level and above out."""
    handler = logging.StreamHandler()
    handler.setFormatter(LogLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # SQL carries what the senders wrote.
    logging.getLogger("peewee").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def log_access(
    request_id: str, remote: str, method: str, path: str, status: int, seconds: float
) -> None:
    """One line for a request, without the cost of a log record: there is one for every alert."""
    if access.isEnabledFor(logging.INFO):
        path = path[:200].encode("unicode_escape").decode()
        sys.stderr.write(
            f"{line_head(time.time(), 'info', request_id)} remote={remote} method={method[:20]} "
            f"path={path} status={status} ms={1000 * seconds:.1f}\n"
        )
