"""What has been used already. Kept in the process, which is the only one of its app."""

import threading
import time


class Used:
    """Values seen within `seconds`, with an atomic set-if-absent."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.lock = threading.Lock()
        self.expiry = {}

    def add(self, value):
        """Returns whether `value` had not been seen, and remembers it."""
        now = time.monotonic()
        with self.lock:
            self.expiry = {known: until for known, until in self.expiry.items() if until > now}
            if value in self.expiry:
                return False
            self.expiry[value] = now + self.seconds
            return True
