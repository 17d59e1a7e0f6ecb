"""The lab's parameters: each field is one, with its default; --set and --lab change them."""

from pydantic import BaseModel, ConfigDict


class Lab(BaseModel):
    """An address, and the card that it is set on."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    address: str = "10.99.0.1"
    card: str = "lo"
