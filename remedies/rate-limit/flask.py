"""Limits failed tries per client address.

    tries = Tries(most=5, seconds=60)

    @app.post("/login")
    @tries.limited
    def login(): ...                       # a failure is an abort(401)
"""

import threading
import time
from collections import deque
from functools import wraps

from flask import request
from werkzeug.exceptions import TooManyRequests


class Tries:
    def __init__(self, most, seconds):
        self.most, self.seconds = most, seconds
        self.lock = threading.Lock()
        self.times = {}

    def limited(self, view):
        """Lets an address fail, by an exception of the view such as abort(401), `most` times in `seconds`."""

        @wraps(view)
        def guarded(*args, **kwargs):
            address = request.remote_addr
            begun = self.begin(address)
            if begun is None:
                raise TooManyRequests(retry_after=self.seconds)
            response = view(*args, **kwargs)
            self.forgive(address, begun)
            return response

        return guarded

    def begin(self, address):
        """Counts a try before its secret is checked. Returns its time, or None when over the limit."""
        now = time.monotonic()
        with self.lock:
            self.drop_before(now - self.seconds)
            times = self.times.setdefault(address, deque())
            if len(times) >= self.most:
                return None
            times.append(now)
            return now

    def forgive(self, address, begun):
        """Takes back the try that began at `begun`."""
        with self.lock:
            times = self.times.get(address)
            if times and begun in times:
                times.remove(begun)

    def drop_before(self, oldest):
        for address, times in list(self.times.items()):
            while times and times[0] < oldest:
                times.popleft()
            if not times:
                del self.times[address]
