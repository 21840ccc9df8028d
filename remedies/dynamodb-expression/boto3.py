"""Builds the arguments of DynamoDB requests.

    records.query(
        KeyConditionExpression=Key("holder").eq(user),
        FilterExpression=matching(request.args["field"], request.args["value"], allowed=("phase", "title")),
        **projection("record_id", "title", "phase"),
    )
    client.execute_statement(
        **statement("SELECT title FROM records WHERE holder = ? AND title = ?", user, title)
    )
"""

from boto3.dynamodb.conditions import Attr
from boto3.dynamodb.types import TypeSerializer


class UnknownName(ValueError):
    """A caller named an attribute that is not on the list: answer with 400."""


def listed(name, allowed):
    """Returns the name if it is on the list."""
    if name not in allowed:
        raise UnknownName
    return name


def matching(name, value, allowed):
    """Returns the condition that the attribute `name`, one of `allowed`, equals a text."""
    return Attr(listed(name, allowed)).eq(str(value))


def projection(*fields):
    """Returns the arguments that make DynamoDB send these attributes and no others."""
    names = {f"#f{position}": field for position, field in enumerate(fields)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def statement(text, *values):
    """Returns the arguments of a PartiQL statement, a constant text with one `?` for each value."""
    serialize = TypeSerializer().serialize
    return {"Statement": text, "Parameters": [serialize(value) for value in values]}
