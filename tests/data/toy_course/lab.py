"""The toy's parameters."""

from pydantic import BaseModel, ConfigDict


class Lab(BaseModel):
    """A switch and the address on it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    switch: str = "toy0"
    address: str = "198.51.100.1/24"
