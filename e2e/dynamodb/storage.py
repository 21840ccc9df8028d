"""A DynamoDB endpoint on loopback, and the tables that both forms of the records API keep there.

moto's server runs in a thread of this process and ends with it; boto3 speaks HTTP to it, as it
would to AWS. The credentials below are moto's own placeholders and open nothing.
"""

import logging

import boto3
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


def start():
    """Starts the endpoint at a free port. Returns a boto3 resource and a low-level client that speak to it."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "region_name": REGION,
        "endpoint_url": f"http://{host}:{port}",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    return boto3.resource("dynamodb", **settings), boto3.client("dynamodb", **settings)


def make(database, name, partition_key, items, sort_key=None):
    """Makes a table whose keys are strings, with these items. Returns it."""
    keys = [(partition_key, "HASH")] + ([(sort_key, "RANGE")] if sort_key else [])
    table = database.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
    )
    for item in items:
        table.put_item(Item=item)
    return table


USERS = [
    {
        "user_id": "alice",
        "profile": {"display": "Alice Moreau", "city": "Lyon"},
        "settings": {"theme": "dark", "digest": "weekly"},
        "tariff": "studio",
    },
    {
        "user_id": "bob",
        "profile": {"display": "Bob Okafor", "city": "Leeds"},
        "settings": {"theme": "light", "digest": "never"},
        "tariff": "solo",
    },
]

RECORDS = [
    {
        "record_id": record_id,
        "holder": holder,
        "title": title,
        "phase": phase,
        "created_at": created_at,
        "metadata": {"sheets": sheets},
    }
    for record_id, holder, title, phase, created_at, sheets in [
        ("r-1001", "alice", "lease", "open", "2026-02-03", 4),
        ("r-1002", "alice", "survey", "closed", "2026-02-11", 9),
        ("r-1003", "alice", "deed", "open", "2026-03-19", 2),
        ("r-2001", "bob", "permit", "open", "2026-01-22", 7),
        ("r-2002", "bob", "invoice", "closed", "2026-04-02", 1),
    ]
]

NOTICES = [
    {"notice_id": "n-1", "headline": "maintenance on sunday", "channel": "service"},
    {"notice_id": "n-2", "headline": "larger uploads", "channel": "product"},
    {"notice_id": "n-3", "headline": "office closed on friday", "channel": "service"},
]
