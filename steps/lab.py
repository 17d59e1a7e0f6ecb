"""The lab's parameters with the tutorial's values as defaults, and every check of them, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from netlab.spelling import CARD, is_name

BRIDGE_PORTS = 1023
"""The kernel's limit (BR_MAX_PORTS is 1 << 10, and port 0 is none): a bridge takes no more."""


def _interface(name: str) -> str:
    """A name that the kernel takes and that no tool reads as anything else; nor is it a card's or a node's already."""
    if not is_name(name) or name in ("lo", "host"):
        raise PydanticCustomError("name", "allowed are {allowed}", {"allowed": CARD})
    return name


_THIS = IPv4Network("0.0.0.0/8")
"""«This» network: no host can have one of its addresses."""


def _address(text: str) -> str:
    try:
        address = IPv4Address(text)
    except ValueError:
        raise PydanticCustomError("address", "allowed is an IPv4 address such as 172.168.1.11") from None
    if _special(address):
        raise PydanticCustomError("address", "allowed is an ordinary address")
    return str(address)


def _network(text: str) -> str:
    try:
        network = IPv4Network(text)
    except ValueError:
        raise PydanticCustomError("network", "allowed is an IPv4 network such as 172.168.1.0/24") from None
    if not 8 <= network.prefixlen <= 28:
        raise PydanticCustomError("network", "allowed are prefix lengths from /8 to /28")
    if _special(network.network_address):
        raise PydanticCustomError("network", "allowed is a network of ordinary addresses")
    return str(network)


def _special(address: IPv4Address) -> bool:
    return (
        address.is_loopback or address.is_multicast or address.is_reserved or address.is_link_local or address in _THIS
    )


def _network_if_known(text: str) -> str:
    return _network(text) if text else text


Interface = Annotated[str, AfterValidator(_interface)]
Address = Annotated[str, AfterValidator(_address)]
Network = Annotated[str, AfterValidator(_network)]


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 65535:
        raise PydanticCustomError("port", "allowed is a port, from 1 to 65535")
    return value


Port = Annotated[int, BeforeValidator(_port)]


class Container(BaseModel):
    """One container: its namespace's name, its cable's two ends, its address, and the lab host's port leading to it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    name: Interface
    veth: Interface
    interface: Interface
    address: Address
    port: Port


class Lab(BaseModel):
    """The parameters. ``containers`` may be given as a number, or as a list of tables that override the defaults.

    Fields are checked in their order, so that a check may look at the fields above its own.
    """

    # A default is checked as well: another value beside it can be what is wrong with it.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", validate_default=True)

    network: Annotated[str, AfterValidator(_network_if_known)] = "192.168.0.0/24"
    """The network that the lab host's own card is in; "" on a real machine, where the surroundings are not ours."""
    host_address: Address = "192.168.0.10"
    router: Address = "192.168.0.2"
    client: Address = "192.168.0.1"
    internet: Address = "114.114.114.114"
    uplink: Interface = "ens33"
    bridge: Interface = "br0"
    subnet: Network = "172.168.1.0/24"
    gateway: Address = ""
    web_port: Port = 80
    containers: tuple[Container, ...] = ()

    @field_validator("host_address", "router", "client")
    @classmethod
    def _on_the_network(cls, value: str, info: ValidationInfo) -> str:
        network = info.data.get("network")
        if network == "":
            return value
        if network is not None and not _usable(value, IPv4Network(network)):
            raise PydanticCustomError("outside", "allowed is a host's address in {network}", {"network": network})
        others = [key for key in ("host_address", "router", "client") if info.data.get(key) == value]
        if others:
            raise PydanticCustomError("twice", "already used as {key}", {"key": others[0]})
        return value

    @field_validator("internet")
    @classmethod
    def _beyond_the_network(cls, value: str, info: ValidationInfo) -> str:
        network = info.data.get("network")
        if network and IPv4Address(value) in IPv4Network(network):
            raise PydanticCustomError("inside", "allowed is an address outside {network}", {"network": network})
        if not _usable(value, IPv4Network(f"{value}/24", strict=False)):
            raise PydanticCustomError(
                "outside", "allowed is a host's address in a network of 256: not the first or last"
            )
        return value

    @field_validator("bridge")
    @classmethod
    def _own_name(cls, value: str, info: ValidationInfo) -> str:
        if value in (info.data.get("uplink"), "lo"):
            raise PydanticCustomError("twice", "already another card of the lab host; --set bridge=NAME gives another")
        return value

    @field_validator("subnet")
    @classmethod
    def _apart_from_the_surroundings(cls, value: str, info: ValidationInfo) -> str:
        around = {"network": info.data.get("network"), "internet": info.data.get("internet")}
        for key, other in around.items():
            if other and IPv4Network(value).overlaps(IPv4Network(other)):
                raise PydanticCustomError("overlap", "overlaps {key} {other}", {"key": key, "other": other})
        return value

    @field_validator("gateway", mode="before")
    @classmethod
    def _first_of_the_subnet(cls, value: Any, info: ValidationInfo) -> Any:
        subnet = IPv4Network(info.data.get("subnet", "172.168.1.0/24"))
        return str(subnet[1]) if value == "" else value

    @field_validator("gateway")
    @classmethod
    def _in_the_subnet(cls, value: str, info: ValidationInfo) -> str:
        subnet = info.data.get("subnet")
        if subnet is not None and not _usable(value, IPv4Network(subnet)):
            raise PydanticCustomError("outside", "allowed is a host's address in subnet {subnet}", {"subnet": subnet})
        return value

    @field_validator("containers", mode="before")
    @classmethod
    def _filled_in(cls, value: Any, info: ValidationInfo) -> Any:
        subnet = IPv4Network(info.data.get("subnet", "172.168.1.0/24"))
        return _tables(2 if value == () else value, subnet)

    @field_validator("containers")
    @classmethod
    def _apart_from_each_other(cls, value: tuple[Container, ...], info: ValidationInfo) -> tuple[Container, ...]:
        wrong = list(_misfits(value, info.data)) if info.data.get("subnet") else []
        if wrong:
            raise PydanticCustomError("containers", "{lines}", {"lines": "\n".join(wrong)})
        return value

    @property
    def gateway_cidr(self) -> str:
        """The gateway's address with its prefix length."""
        return f"{self.gateway}/{IPv4Network(self.subnet).prefixlen}"

    @property
    def network_prefix(self) -> int:
        """The prefix length of the network around the lab host."""
        return IPv4Network(self.network).prefixlen

    @property
    def internet_gateway(self) -> str:
        """The router's address on the internet's side: a neighbour of the internet's own address, in its /24."""
        outside = IPv4Network(f"{self.internet}/24", strict=False)
        return str(next(each for each in (outside[1], outside[2]) if str(each) != self.internet))

    def cidr(self, container: Container) -> str:
        """A container's address with its prefix length."""
        return f"{container.address}/{IPv4Network(self.subnet).prefixlen}"

    def url(self, container: Container) -> str:
        """Where a container's page is."""
        port = "" if self.web_port == 80 else f":{self.web_port}"
        return f"http://{container.address}{port}/"


_NUMBERS = {str(number) for number in range(1, BRIDGE_PORTS + 1)}


def _tables(given: Any, subnet: IPv4Network) -> Any:
    """Containers from a number, or from a list (or {"2": …}, counted from 1) of tables over the defaults."""
    if isinstance(given, bool) or not isinstance(given, int | list | tuple | dict):
        raise PydanticCustomError("number", "allowed is a number, or a list of tables")
    tables: dict[int, Any] = {}
    count = 2
    if isinstance(given, int):
        count = given
    elif isinstance(given, dict):
        given = dict(given)
        count = given.pop("count", 2)
        if isinstance(count, bool) or not isinstance(count, int):
            raise PydanticCustomError("number", "allowed as count is a number")
        strange = [key for key in given if key not in _NUMBERS]
        if strange:
            said = "there is no container {key}: they are counted from 1 to {most}"
            raise PydanticCustomError("key", said, {"key": repr(strange[0]), "most": BRIDGE_PORTS})
        tables = {int(key): table for key, table in given.items()}
        count = max([count, *tables])
    else:
        tables = dict(enumerate(given, 1))
        count = len(given)
    _check_count(count, subnet)
    defaults = dict(enumerate(_defaults(count, subnet), 1))
    return tuple(
        {**table, **tables[number]} if isinstance(tables.get(number), dict) else tables.get(number, table)
        for number, table in defaults.items()
    )


def _check_count(count: int, subnet: IPv4Network) -> None:
    """Raise where the subnet or the bridge cannot hold so many containers."""
    if count > BRIDGE_PORTS:
        said = "containers = {count}: a bridge has at most {most} ports, so allowed are 1 to {most}"
        raise PydanticCustomError("count", said, {"count": count, "most": BRIDGE_PORTS})
    room = subnet.num_addresses - 12  # the network, ten addresses before the first container's, and the broadcast
    if not 1 <= count <= room:
        most = max(room, 0)
        more = "; for more: --set subnet=172.168.0.0/16" if count > room else ""
        said = "containers = {count}: subnet {subnet} has room for 1 to {most}{more}"
        context = {"count": count, "subnet": str(subnet), "most": most, "more": more}
        raise PydanticCustomError("count", said, context)


def _defaults(count: int, subnet: IPv4Network) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        port = {1: 8888, 2: 9999}.get(number, 10000 + number)
        place = {"name": f"container{number}", "veth": f"veth{number}", "interface": f"eth{number}", "port": port}
        yield {**place, "address": str(subnet[10 + number])}


def _usable(address: str, subnet: IPv4Network) -> bool:
    """An address of the subnet that is neither the network's nor the broadcast's."""
    value = IPv4Address(address)
    return value in subnet and value not in (subnet.network_address, subnet.broadcast_address)


def _misfits(containers: tuple[Container, ...], above: dict[str, Any]) -> Iterator[str]:
    """What is outside, or used twice: one line each, with key, value and what is allowed."""
    subnet = IPv4Network(above["subnet"])
    nodes = dict.fromkeys(("router", "client", "internet"), "a node of the surroundings")
    taken: dict[str, dict[Any, str]] = {
        "name": {**nodes, "host": "the lab host"},
        "veth": {above.get("uplink"): "uplink", above.get("bridge"): "bridge", "lo": "the loopback"},
        "interface": {"lo": "the loopback"},
        "address": {above.get("gateway"): "gateway"},
        "port": {},
    }
    for number, container in enumerate(containers, 1):
        if not _usable(container.address, subnet):
            yield f"containers.{number}.address = {container.address}: allowed is a host's address in subnet {subnet}"
        for key, seen in taken.items():
            value = getattr(container, key)
            if value in seen:
                yield f"containers.{number}.{key} = {value}: already used by {seen[value]}"
            elif key != "interface":  # each container has a stack of its own: two may both have an eth0
                seen[value] = f"container {number}"
