"""Limits failed tries per client address.

    tries = Tries(most=5, seconds=60)

    @app.post("/login", dependencies=[Depends(tries)])
    def login(): ...                       # a failure is an HTTPException(401)
"""

import time
from collections import deque

from fastapi import HTTPException, Request


class Tries:
    def __init__(self, most, seconds):
        self.most, self.seconds = most, seconds
        self.times = {}

    async def __call__(self, request: Request):
        """Lets an address fail, by an exception of the route, `most` times in `seconds`."""
        now = time.monotonic()
        self.drop_before(now - self.seconds)
        times = self.times.setdefault(request.client.host, deque())
        if len(times) >= self.most:
            raise HTTPException(429, headers={"Retry-After": str(self.seconds)})
        # Counted before the secret is checked, taken back when that went well.
        times.append(now)
        yield
        if now in times:
            times.remove(now)

    def drop_before(self, oldest):
        for address, times in list(self.times.items()):
            while times and times[0] < oldest:
                times.popleft()
            if not times:
                del self.times[address]
