"""Docker's bridge network, as eleven steps: the table of contents, in reading order."""

from netlab.model import Step

from . import surroundings
from .addresses import step as addresses
from .bridge import step as bridge
from .forwarding import step as forwarding
from .gateway import step as gateway
from .lab import Lab
from .loopback import step as loopback
from .namespaces import step as namespaces
from .nat import step as nat
from .publish import step as publish
from .routes import step as routes
from .veth import step as veth
from .web import step as web

__all__ = ["COURSE", "Lab", "surroundings"]

COURSE: dict[str, Step] = {
    "namespaces": namespaces,
    "veth": veth,
    "addresses": addresses,
    "loopback": loopback,
    "bridge": bridge,
    "gateway": gateway,
    "routes": routes,
    "forwarding": forwarding,
    "nat": nat,
    "web": web,
    "publish": publish,
}
