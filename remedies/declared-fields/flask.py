"""Picks what an answer may hold.

    ORDER = {"id", "item", "quantity"}

    @app.get("/orders/<int:number>")
    def read_order(number):
        return jsonify(only(ORDER, find_order(number)))
"""


def only(fields, record):
    """Returns the members of a record, or of each in a list, that stand in `fields`.

    `fields` is a set of names, or a dict of names with the fields below: {"id": None, "owner": {"name"}}.
    """
    if isinstance(record, (list, tuple)):
        return [only(fields, one) for one in record]
    below = fields if isinstance(fields, dict) else dict.fromkeys(fields)
    return {name: only(below[name], value) if below[name] else value for name, value in record.items() if name in below}
