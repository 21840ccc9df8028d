"""Picks what an answer may hold: declare it as a model, and name the model at the route.

    class Order(Answer):
        id: int
        item: str

    @app.get("/orders/{number}", response_model=Order)
    def read_order(number: int):
        return find_order(number)               # a dict or an object of the ORM, with whatever else it has
"""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """A model of an answer: reads dicts and objects, and leaves out what it does not declare."""

    model_config = ConfigDict(extra="ignore", from_attributes=True)
