"""Small APIs that verify signed requests, each with at most one defect, and sound ones beside them."""

from .catalog import load


def create(name):
    """Returns the WSGI application of the verifier `name`."""
    from .orders import orders_api

    return orders_api(load()[name])
